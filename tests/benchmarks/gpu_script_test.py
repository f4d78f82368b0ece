"""benchmarks/gpu.sh tried without a GPU, so that it works where there is one; and what it compares with."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
BIN = pathlib.Path(os.environ["EFFUSE_BIN"])


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def compare(*arguments):
    return run(sys.executable, SOURCE / "benchmarks/compare_devices.py", *arguments)


def test_all_checks_on_the_cpu(tmp_path):
    random = np.random.default_rng(2)
    for i in range(40):
        path = tmp_path / "images" / ("coat", "shoe")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32), np.uint8)).save(path)
    packed = run(BIN / "effuse-pack", "--input", tmp_path / "images", "--output", tmp_path / "packed",
                 "--image-size", 32, "--channels", 1)
    assert packed.returncode == 0, packed.stderr
    done = run(SOURCE / "benchmarks/gpu.sh", "--device", "cpu", "--data", tmp_path / "packed", "--bin", BIN,
               "--steps", 4, "--rate-steps", 2, "--rate-batch-size", 8, "--", pathlib.Path(__file__).with_name("tiny.toml"), "--quick",
               "--without", "PyTorch", "--without", "ranks", "--account")
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(SOURCE / "benchmarks/training"))
    import classes

    assert f"| Effuse, 1 rank | {classes.precisions('cpu')[0]} |" in done.stdout, done.stdout
    assert "### Where a step goes" in done.stdout
    assert done.stdout.endswith("all checks passed\n")
    assert done.stdout.count("largest relative difference 0.0e+00") == 6, done.stdout
    assert done.stdout.count("mean difference 0.000 grey levels") == 4, done.stdout
    assert "exit code 75" in done.stdout


def test_without_data_it_says_where_to_get_some(tmp_path):
    done = run(SOURCE / "benchmarks/gpu.sh", "--data", tmp_path)
    assert done.returncode == 2 and "scripts/demo --quick" in done.stderr


@pytest.mark.parametrize("loss, code", [(1.01, 0), (1.03, 1)])
def test_losses_that_differ(tmp_path, loss, code):
    for name, last in (("one", 1.0), ("other", loss)):
        log = tmp_path / name / "metrics/train.jsonl"
        log.parent.mkdir(parents=True)
        log.write_text("".join(json.dumps({"loss": value}) + "\n" for value in (2.0, last)))
    assert compare("losses", tmp_path / "one", tmp_path / "other").returncode == code


@pytest.mark.parametrize("shift, code", [(0, 0), (2, 0), (3, 1)])
def test_images_that_differ(tmp_path, shift, code):
    values = np.random.default_rng(4).integers(0, 250, (9, 7, 3), np.uint8)
    for name, image in (("one", values), ("other", values + np.uint8(shift))):
        path = tmp_path / name / "images/00000/00000000.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(image).save(path)
    done = compare("images", tmp_path / "one", tmp_path / "other")
    assert done.returncode == code and f"mean difference {shift}.000" in done.stdout, done.stdout + done.stderr
