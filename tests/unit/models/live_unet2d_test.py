"""unet2d against diffusers' UNet2DModel with random weights, where torch and diffusers are there."""

import pathlib
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


def warn_not_compared(capsys):
    with capsys.disabled():
        print(f"\nNOT COMPARED LIVE: torch and diffusers cannot be imported ({missing}); "
              "unet2d is held against its golden file alone", file=sys.stderr)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_unet2d_is_that_of_diffusers(name, dtype, tmp_path, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    from live_comparison import compare

    case = CASES[name]
    torch.manual_seed(sum(map(ord, name)))
    size = case["sample_size"]
    compare(case, unet2d_cases.make_reference(case), lambda m, x, t, y: m(x, t, y).sample,
            [2, case["in_channels"], size, size], case["num_class_embeds"], dtype, tmp_path, flops=dtype == "float32")
