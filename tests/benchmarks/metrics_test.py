"""benchmarks/metrics runs, and counts all parts."""

import json
import os
import pathlib
import subprocess


def test_the_parts_are_all_there_is():
    program = pathlib.Path(os.environ["EFFUSE_BIN"]) / "metrics_cost"
    found = json.loads(subprocess.run([program, "200"], capture_output=True, text=True, check=True).stdout)
    parts = found["microseconds_a_step"]
    assert sorted(parts) == ["logs", "loss_by_timestep", "rank", "run"] and min(parts.values()) > 0
    assert abs(sum(parts.values()) - found["all"]) < 1e-6
