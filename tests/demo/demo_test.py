"""scripts/demo --quick walks the whole path, and run again reuses what is there."""

import os
import pathlib
import subprocess

from PIL import Image

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])


def demo(folder):
    environment = dict(os.environ, EFFUSE_DEMO_BUILT="1")
    return subprocess.run([SOURCE / "scripts/demo", "--quick", "--folder", folder], cwd=SOURCE,
                          env=environment, capture_output=True, text=True, check=False)


def test_quick_demo(tmp_path):
    first = demo(tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    samples = tmp_path / "quick/samples/step-00000030"
    grid = samples / "grid.png"
    with Image.open(grid) as picture:
        assert picture.mode == "L"
        assert picture.width > 10 * 32
    made = grid.stat().st_mtime_ns
    images = sorted((samples / "images").rglob("*.png"))
    assert len(images) == 100
    assert (tmp_path / "quick/runs/fashion-mnist/previews/step-00000030.png").exists()
    assert str(grid) in first.stdout

    stamps = [path.stat().st_mtime_ns for path in images]
    second = demo(tmp_path)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "finished already" in second.stdout + second.stderr
    assert [path.stat().st_mtime_ns for path in images] == stamps
    assert grid.stat().st_mtime_ns >= made
