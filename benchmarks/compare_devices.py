"""What benchmarks/gpu.sh compares: the losses of two runs, the rate of one, the images of two sets,
the statistics of two.

    compare_devices.py losses RUN RUN | rate RUN | images SAMPLES SAMPLES | statistics FILE.npz FILE.npz

Exits with 1 where the two differ by more than rounding explains.
"""

import json
import pathlib
import statistics
import sys

import numpy as np
from PIL import Image

LOSS_TOLERANCE = 0.02  # relative, of any step: early differences grow as training goes on
PIXEL_TOLERANCE = 2.0  # mean difference in grey levels
STATISTICS_TOLERANCE = 1e-3  # relative, of mean and covariance


def lines(run):
    return [json.loads(line) for line in (pathlib.Path(run) / "metrics/train.jsonl").read_text().splitlines()]


def compare_losses(one, other):
    a, b = ([line["loss"] for line in lines(run)] for run in (one, other))
    if len(a) != len(b):
        return f"   {len(a)} steps against {len(b)}", False
    worst = max(abs(x - y) / abs(x) for x, y in zip(a, b))
    return (f"   first {a[0]:.6f} and {b[0]:.6f}, last {a[-1]:.6f} and {b[-1]:.6f}, "
            f"largest relative difference {worst:.1e} (at most {LOSS_TOLERANCE})"), worst <= LOSS_TOLERANCE


def rate(run):
    steps = lines(run)[len(lines(run)) // 2:]  # the first half warms up
    parts = ("data_wait_s", "forward_s", "backward_s", "exposed_communication_s", "update_s")
    seconds = [sum(step[part] for part in parts) for step in steps]
    images = steps[0]["images"] / steps[0]["step"]
    shares = ", ".join(f"{part[:-2]} {1e3 * statistics.median(step[part] for step in steps):.2f}" for part in parts)
    middle = statistics.median(seconds)
    return f"   {images / middle:.0f} images/s; a step takes {1e3 * middle:.2f} ms ({shares})", True


def pixels(file):
    with Image.open(file) as image:
        return np.asarray(image).astype(int)


def compare_images(one, other):
    files = sorted(path.relative_to(one) for path in pathlib.Path(one).glob("images/*/*.png"))
    differences = np.stack([abs(pixels(pathlib.Path(one) / file) - pixels(pathlib.Path(other) / file))
                            for file in files])
    mean = differences.mean()
    return (f"   {len(files)} images: mean difference {mean:.3f} grey levels (at most {PIXEL_TOLERANCE}), "
            f"largest {differences.max()}"), mean <= PIXEL_TOLERANCE


def compare_statistics(one, other):
    a, b = np.load(one), np.load(other)
    worst = max(np.linalg.norm(a[name] - b[name]) / np.linalg.norm(a[name]) for name in ("mu", "sigma"))
    return (f"   statistics of {a['count']} images: largest relative difference {worst:.1e} "
            f"(at most {STATISTICS_TOLERANCE})"), worst <= STATISTICS_TOLERANCE


def main(what, *folders):
    text, passed = {"losses": compare_losses, "rate": rate, "images": compare_images,
                    "statistics": compare_statistics}[what](*folders)
    print(text if passed else text + "  FAILED")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
