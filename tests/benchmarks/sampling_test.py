"""benchmarks/sampling/compare.py on a network of milliseconds, whatever the rates come to be."""

import os
import pathlib
import re
import subprocess
import sys

COMPARE = pathlib.Path(os.environ["EFFUSE_SOURCE"]) / "benchmarks/sampling/compare.py"
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from not_compared import skip_without

try:
    import torch  # noqa: F401
    from diffusers import DDIMPipeline  # noqa: F401

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error


def test_the_comparison_runs_and_its_images_agree(capsys):
    skip_without(missing, capsys, "generation is not held against diffusers' pipeline")
    done = subprocess.run([sys.executable, COMPARE, "--quick", "--channels", "8,8", "--side", "8", "--steps", "4", "--tile",
                           "2", "--threads", "1", "--bin", os.environ["EFFUSE_BIN"]], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "from the same noise: largest difference" in done.stdout
    for name in ("equal settings, fp32", r"best settings \(\w+\) against defaults"):
        assert re.search(name + r": [\d.]+ times \([\d.]+ to [\d.]+\); [\d.]+ against [\d.]+ images/s", done.stdout)
