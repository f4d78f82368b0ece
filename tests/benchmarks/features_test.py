"""benchmarks/features/compare.py on a few images, whatever the rates come to be."""

import os
import pathlib
import re
import subprocess
import sys

COMPARE = pathlib.Path(os.environ["EFFUSE_SOURCE"]) / "benchmarks/features/compare.py"
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from not_compared import skip_without

try:
    import pytorch_fid  # noqa: F401
    import torch  # noqa: F401

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error


def test_the_comparison_runs(capsys):
    skip_without(missing, capsys, "features are not timed beside pytorch-fid")
    done = subprocess.run([sys.executable, COMPARE, "--quick", "--images", "4", "--tile", "2", "--threads", "1",
                           "--bin", os.environ["EFFUSE_BIN"]], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"features: [\d.]+ times \([\d.]+ to [\d.]+\); [\d.]+ against [\d.]+ images/s", done.stdout)
