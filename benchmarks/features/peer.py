"""pytorch-fid's side of compare.py: peer.py WEIGHTS DEVICE THREADS. Reads lines from stdin, each the path of a folder of
images, and answers each with the seconds that its features and statistics took, by pytorch-fid's own function with its
defaults: batches of 50, decoding in another process."""

import contextlib
import pathlib
import sys
import time

import pytorch_fid.inception
import torch
from pytorch_fid.fid_score import calculate_activation_statistics


def network(weights, device):
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: torch.load(weights)
    return pytorch_fid.inception.InceptionV3().to(device)


def main():
    weights, device, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = network(weights, device)
    for line in sys.stdin:
        files = sorted(pathlib.Path(line.strip()).glob("*.png"))
        begin = time.perf_counter()
        with contextlib.redirect_stdout(sys.stderr):  # its warnings
            calculate_activation_statistics(files, model, batch_size=50, dims=2048, device=device, num_workers=1)
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
