"""unet2d against diffusers' UNet2DModel with random weights, where torch and diffusers are there."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "golden"))

try:
    import torch
    from diffusers import UNet2DModel  # noqa: F401

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error

import unet2d_cases

CASES = unet2d_cases.CASES | {"cifar10": unet2d_cases.CIFAR10}
TOLERANCES = {"float32": (1e-5, 1e-4), "float64": (1e-10, 1e-9)}


def relative_error(a, b):
    return ((a - b).norm() / b.norm()).item()


def write(folder, name, tensors):
    data = torch.cat([t.detach().double().flatten() for t in tensors])
    (folder / name).write_bytes(data.numpy().tobytes())


def read(folder, name):
    return torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=torch.float64)


def warn_not_compared(capsys):
    with capsys.disabled():
        print(f"\nNOT COMPARED LIVE: torch and diffusers cannot be imported ({missing}); "
              "unet2d is held against its golden file alone", file=sys.stderr)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", CASES)
def test_unet2d_is_that_of_diffusers(name, dtype, tmp_path, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    case = CASES[name]
    torch.manual_seed(sum(map(ord, name)))
    model = unet2d_cases.make_reference(case).to(getattr(torch, dtype)).eval()
    size = case["sample_size"]
    shape = [2, case["in_channels"], size, size]
    classes = case["num_class_embeds"]
    labels = torch.randint(classes, (2,)) if classes else None
    t = torch.randint(1000, (2,))
    x, cotangent = torch.randn(shape, dtype=model.dtype), torch.randn(shape, dtype=model.dtype)
    expected = model(x, t, labels).sample
    expected.backward(cotangent)
    weights = list(model.state_dict(keep_vars=True).values())

    request = {"config": case, "shape": shape, "t": t.tolist(), "type": dtype,
               "labels": labels.tolist() if classes else []}
    (tmp_path / "request.json").write_text(json.dumps(request))
    write(tmp_path, "weights", weights)
    write(tmp_path, "x", [x])
    write(tmp_path, "cotangent", [cotangent])
    program = pathlib.Path(os.environ["EFFUSE_BIN"]) / "unet2d_forward"
    subprocess.run([program, tmp_path], check=True)

    output_tolerance, gradient_tolerance = TOLERANCES[dtype]
    assert relative_error(read(tmp_path, "output"), expected.detach().double().flatten()) <= output_tolerance
    gradients = torch.cat([w.grad.double().flatten() for w in weights])
    assert relative_error(read(tmp_path, "gradients"), gradients) <= gradient_tolerance
    for file in tmp_path.iterdir():
        file.unlink()
