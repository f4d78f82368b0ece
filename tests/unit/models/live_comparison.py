"""One of our networks against its reference in PyTorch, with the same random weights."""

import json
import os
import pathlib
import subprocess
import sys

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

# Relative errors of the prediction, and of the gradients of all weights together.
TOLERANCES = {"float32": (1e-5, 1e-4), "float64": (1e-10, 1e-9)}


def relative_error(a, b):
    return ((a - b).norm() / b.norm()).item()


def write(folder, name, tensors):
    data = torch.cat([t.detach().double().flatten() for t in tensors])
    (folder / name).write_bytes(data.numpy().tobytes())


def read(folder, name):
    return torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=torch.float64)


def count_flops(model, predict, shape, labels):
    """Operations of the forward pass of one image, as PyTorch counts them."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        predict(model, torch.zeros([1, *shape[1:]], dtype=next(model.parameters()).dtype), torch.zeros(1), labels)
    return counter.get_total_flops()


def compare(case, model, predict, shape, classes, dtype, folder, flops=False):
    """Holds both passes of [model] `case`, and if wanted the count of operations, against predict(model, x, t, labels); labels
    are below classes."""
    model = model.to(getattr(torch, dtype)).eval()
    labels = torch.randint(classes, (shape[0],)) if classes else None
    t = torch.randint(1000, (shape[0],))
    x, cotangent = (torch.randn(shape, dtype=getattr(torch, dtype)) for _ in range(2))
    expected = predict(model, x, t, labels)
    expected.backward(cotangent)
    weights = list(model.state_dict(keep_vars=True).values())

    request = {"config": case, "shape": shape, "t": t.tolist(), "type": dtype,
               "labels": labels.tolist() if classes else []}
    (folder / "request.json").write_text(json.dumps(request))
    write(folder, "weights", weights)
    write(folder, "x", [x])
    write(folder, "cotangent", [cotangent])
    program = pathlib.Path(os.environ["EFFUSE_BIN"]) / "network_forward"
    subprocess.run([program, folder], check=True)

    errors = (relative_error(read(folder, "output"), expected.detach().double().flatten()),
              relative_error(read(folder, "gradients"),
                             torch.cat([w.grad.double().flatten() for w in weights if w.requires_grad])))
    if flops:
        expected = count_flops(model, predict, shape, labels[:1] if classes else None)
        assert read(folder, "flops").item() == expected > 0
    for file in folder.iterdir():
        file.unlink()
    print(f"relative errors {errors[0]:.2g} and {errors[1]:.2g}", file=sys.stderr)
    assert errors[0] <= TOLERANCES[dtype][0]
    assert errors[1] <= TOLERANCES[dtype][1]
