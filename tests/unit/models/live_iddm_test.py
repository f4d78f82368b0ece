"""unet and cspdarkunet against iddm_networks.py with random weights, where torch is there."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "golden"))

try:
    import torch

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error

import iddm_cases

CASES = iddm_cases.CASES | iddm_cases.FULL


def warn_not_compared(capsys):
    with capsys.disabled():
        print(f"\nNOT COMPARED LIVE: torch cannot be imported ({missing}); "
              "unet and cspdarkunet are held against their golden files alone", file=sys.stderr)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_network_is_that_of_iddm(name, dtype, tmp_path, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    from iddm_networks import make_reference
    from live_comparison import compare

    case = CASES[name]
    torch.manual_seed(sum(map(ord, name)))
    size = case["sample_size"]
    width = 2 * size if name in iddm_cases.CASES else size
    compare(case, make_reference(case), lambda m, x, t, y: m(x, t, y),
            [2, case["in_channels"], size, width], max(case["num_class_embeds"] - 1, 0), dtype, tmp_path)
