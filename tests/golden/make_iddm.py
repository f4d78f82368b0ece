#!/usr/bin/env python3
"""Writes iddm/reference.json: forward and backward passes of iddm_networks.py in float64.

First holds iddm_networks.py against iddm/networks.json, which was recorded from IDDM itself.
"""

import json
import pathlib

import torch

import formulas
from iddm_cases import CASES
from iddm_networks import make_reference

FOLDER = pathlib.Path(__file__).parent / "iddm"
TIME_STEPS = [5, 900]


def predict(model, shape, t, labels, dtype):
    labels = torch.tensor(labels) if labels else None
    return model(formulas.images(shape).to(dtype), torch.tensor(t), labels)


def check_against_iddm():
    recorded = json.loads((FOLDER / "networks.json").read_text())
    for name, case in recorded["forward"].items():
        model = make_reference(case["config"]).eval()
        weights = [[key, list(w.shape)] for key, w in model.state_dict().items()]
        known = recorded["weights"][case["config"]["name"]]
        assert weights == (known if case["config"]["num_class_embeds"] else known[1:]), name
        formulas.fill_weights(model, biases_around=0.0)
        with torch.no_grad():  # PyTorch then computes attention by the kernel that IDDM ran
            output = predict(model, case["shape"], case["t"], case["labels"], torch.float32).flatten()
        known = torch.tensor(case["first"] + case["last"])
        error = (torch.cat([output[:8], output[-4:]]) - known).norm() / known.norm()
        assert error < 1e-5, (name, error)
        assert abs(output.sum() - case["sum"]) < 1e-5 * case["abs_sum"], name


def describe(case):
    model = make_reference(case).double().eval()
    formulas.fill_weights(model)
    shape = (2, case["in_channels"], 16, 32)
    labels = [1, 2] if case["num_class_embeds"] else []
    output = predict(model, shape, TIME_STEPS, labels, torch.float64)
    output.backward(formulas.cotangent(shape))
    gradients = [p.grad for p in model.state_dict(keep_vars=True).values() if p.requires_grad]
    return {
        "config": case,
        "shape": shape,
        "t": TIME_STEPS,
        "labels": labels,
        "output": output[:, :, ::4, ::4].flatten().tolist(),
        "gradient_norm": sum(g.square().sum() for g in gradients).sqrt().item(),
        "gradient_projection": sum(
            (g * formulas.wave(g.shape, 1.0, 0.71, j)).sum() for j, g in enumerate(gradients)
        ).item(),
    }


def main():
    check_against_iddm()
    golden = {name: describe(case) for name, case in CASES.items()}
    (FOLDER / "reference.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
