"""diffusers' side of compare.py, which obeys commands, a JSON list a line, on stdin, and answers each with a line of JSON:

    peer.py MODEL DEVICE THREADS STEPS

    ["save", CHANNELS, SIDE]     a network with random weights, as a folder of a pipeline
    ["make", COUNT, NOISE, OUT]  images from noise, which is written too
    ["time", BATCH, COUNT]       seconds of each of COUNT batches
"""

import json
import sys
import time

import numpy as np
import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from diffusers.pipelines.ddim import pipeline_ddim
from safetensors.torch import save_file

# Of the last convolution's random weights. At their full scale a step multiplies what differs between its inputs, and
# fifty make the pipeline's own fp32 and fp64 images different pictures (by 0.93 of 1; at this scale by 2e-5).
OUTPUT_SCALE = 0.05


def save(model, channels, side):
    widths = [int(width) for width in channels.split(",")]
    kinds = ["" if level != len(widths) - 2 else "Attn" for level in range(len(widths))]
    torch.manual_seed(1)
    unet = UNet2DModel(sample_size=side, block_out_channels=widths, layers_per_block=2,
                       norm_num_groups=8, down_block_types=[f"{kind}DownBlock2D" for kind in kinds],
                       up_block_types=[f"{kind}UpBlock2D" for kind in reversed(kinds)])
    with torch.no_grad():
        unet.conv_out.weight *= OUTPUT_SCALE
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(model)


def pipeline(model, device):
    whole = DDPMPipeline.from_pretrained(model)
    made = DDIMPipeline(whole.unet, DDIMScheduler.from_config(whole.scheduler.config)).to(device)
    made.set_progress_bar_config(disable=True)
    return made


def make(pipe, steps, count, noise_file, output):
    original = pipeline_ddim.randn_tensor
    side = pipe.unet.config.sample_size
    noise = torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(2))
    save_file({"noise": noise}, noise_file)
    pipeline_ddim.randn_tensor = lambda *_, **__: noise.to(pipe.device)
    np.save(output, pipe(batch_size=count, num_inference_steps=steps, output_type="np").images)
    pipeline_ddim.randn_tensor = original


def seconds(pipe, steps, batch, count):
    passed = []
    for _ in range(count):
        began = time.perf_counter()
        pipe(batch_size=batch, num_inference_steps=steps)
        passed.append(time.perf_counter() - began)
    return passed


def main():
    model, device, threads, steps = sys.argv[1:]
    torch.set_num_threads(int(threads))
    pipe = None
    for line in sys.stdin:
        do, *words = json.loads(line)
        answer = None
        if do == "save":
            save(model, *words)
            pipe = pipeline(model, device)
        elif do == "make":
            make(pipe, int(steps), *words)
        else:
            answer = seconds(pipe, int(steps), *words)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
