"""scripts/demo --quick walks the whole path, set-up and build included, and run again reuses what is there."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
from PIL import Image

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])


def demo(folder, *arguments):
    done = subprocess.run([SOURCE / "scripts/demo", "--quick", "--folder", folder, *arguments], cwd=SOURCE,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_quick_demo(tmp_path):
    first = demo(tmp_path)
    samples = tmp_path / "quick/samples/step-00000012"
    grid = samples / "grid.png"
    with Image.open(grid) as picture:
        assert picture.mode == "L"
        assert picture.width > 10 * 32
    made = grid.stat().st_mtime_ns
    images = sorted((samples / "images").rglob("*.png"))
    assert len(images) == 100
    assert (tmp_path / "quick/runs/fashion-mnist/previews/step-00000012.png").exists()
    report, = set(re.findall(r"^report +(\S+)$", first, re.M))  # of training, and at the end
    assert (SOURCE / report).read_text().startswith("<!doctype html>")
    assert str(grid) in first
    assert re.search(r"4/5 .*about 2 minutes left", first)

    stamps = [path.stat().st_mtime_ns for path in images]
    second = demo(tmp_path)
    assert "finished already" in second
    assert re.search(r"4/5 .*about a minute left", second)
    assert [path.stat().st_mtime_ns for path in images] == stamps
    assert grid.stat().st_mtime_ns >= made

    # The tool that scores a demo works; a model of 12 steps knows no clothes yet.
    score = subprocess.run(
        [sys.executable, SOURCE / "tests/tools/score_demo.py", "--demo", tmp_path / "quick", "--number", "20",
         "--steps", "2", "--train-images", "3000"], capture_output=True, text=True, check=False)
    assert score.returncode == 0, score.stdout + score.stderr
    real, generated = re.findall(r"images: (\d+) of (\d+) named right", score.stdout)
    assert generated[1] == "20"
    assert int(real[0]) / int(real[1]) > 0.4, "the classifier learns what real clothes look like"


def test_images_of_ones_own(tmp_path):
    """A flat folder: a model without classes."""
    random = np.random.default_rng(8)
    (tmp_path / "holiday").mkdir()
    for i in range(40):
        Image.fromarray(random.integers(0, 256, (40, 50, 3), np.uint8)).save(tmp_path / f"holiday/{i}.png")
    said = demo(tmp_path / "demo", "--images", str(tmp_path / "holiday"))
    place, = (tmp_path / "demo/quick").glob("own-holiday-*")
    assert str(place / "samples/step-00000012/grid.png") in said
    images = list((place / "samples").rglob("images/*/*.png"))
    assert len(images) == 80
    with Image.open(images[0]) as image:
        assert image.mode == "RGB" and image.size == (32, 32)

    (tmp_path / "holiday/7.png").unlink()
    changed = subprocess.run([SOURCE / "scripts/demo", "--quick", "--folder", tmp_path / "demo", "--images",
                              tmp_path / "holiday"], capture_output=True, text=True, check=False)
    assert changed.returncode == 3 and "scripts/demo --fresh" in changed.stderr, changed.stderr
    again = demo(tmp_path / "demo", "--images", str(tmp_path / "holiday"), "--fresh")
    assert "39 images" in again and "continuing" not in again
    assert len(list((place / "runs").glob("fashion-mnist.before-*"))) == 1


def test_a_folder_that_is_not_there(tmp_path):
    done = subprocess.run([SOURCE / "scripts/demo", "--images", tmp_path / "none"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and "none is no folder" in done.stderr
