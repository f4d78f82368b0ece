#!/usr/bin/env python3
"""Writes unet2d.json: weight names, forward and backward passes of diffusers' UNet2DModel."""

import json
import pathlib

import torch

import formulas
from unet2d_cases import CASES, CIFAR10, make_reference

TIME_STEPS = [5, 900]


def describe(case):
    model = make_reference(case).double().eval()
    formulas.fill_weights(model)
    # Not square, so that height and width cannot be mistaken for one another.
    shape = (2, case["in_channels"], 8, 12)
    classes = case["num_class_embeds"]
    labels = [1, classes - 1] if classes else []
    output = model(
        formulas.images(shape), torch.tensor(TIME_STEPS), torch.tensor(labels) if classes else None
    ).sample
    output.backward(formulas.cotangent(shape))
    gradients = [p.grad for p in model.state_dict(keep_vars=True).values()]
    return {
        "config": case,
        "weights": [[name, list(w.shape)] for name, w in model.state_dict().items()],
        "shape": shape,
        "t": TIME_STEPS,
        "labels": labels,
        "output": output.flatten().tolist(),
        "gradient_norm": sum(g.square().sum() for g in gradients).sqrt().item(),
        "gradient_projection": sum(
            (g * formulas.wave(g.shape, 1.0, 0.71, j)).sum() for j, g in enumerate(gradients)
        ).item(),
    }


def main():
    torch.manual_seed(0)
    golden = {name: describe(case) for name, case in CASES.items()}
    golden["cifar10"] = {
        "config": CIFAR10,
        "parameters": sum(p.numel() for p in make_reference(CIFAR10).parameters()),
    }
    path = pathlib.Path(__file__).parent / "unet2d.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
