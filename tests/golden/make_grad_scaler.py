#!/usr/bin/env python3
"""Writes grad_scaler.json: what torch.amp.GradScaler makes of its scale over steps that overflow or not."""

import json
import pathlib

import torch

INITIAL, GROWTH_STEPS = 1024.0, 4
# Runs without an overflow that are shorter, as long and longer than the growth, and overflows in a row.
OVERFLOWS = "......#....#...#.##......#####....#........#..........."


def scales(overflows):
    scaler = torch.amp.GradScaler("cpu", init_scale=INITIAL, growth_interval=GROWTH_STEPS)
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    found = []
    for overflow in overflows:
        found.append(scaler.get_scale())
        scaler.scale(parameter.sum()).backward()
        if overflow:
            parameter.grad.fill_(float("inf"))
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    return found


def main():
    overflows = [letter == "#" for letter in OVERFLOWS]
    path = pathlib.Path(__file__).parent / "grad_scaler.json"
    path.write_text(json.dumps({"initial": INITIAL, "growth_steps": GROWTH_STEPS, "overflows": overflows,
                                "scales": scales(overflows)}) + "\n")


if __name__ == "__main__":
    main()
