"""How long training stands still for a checkpoint, written in the background and written in the foreground.

    .deps/python/bin/python benchmarks/checkpoint_stall.py
    .deps/python/bin/python benchmarks/checkpoint_stall.py --rounds 6 --runs /scratch

Rounds of one run each way take turns on the same folder, so that both meet the same machine and disk. A run's stalls are
those it logs; its first save and its last are left out.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

BIN = pathlib.Path(os.environ.get("EFFUSE_BIN", "build/release/bin"))
SETTINGS = {"model.block_out_channels": [96, 192, 192], "model.layers_per_block": 1,
            "model.down_block_types": '["DownBlock2D", "DownBlock2D", "DownBlock2D"]',
            "model.up_block_types": '["UpBlock2D", "UpBlock2D", "UpBlock2D"]',
            "run.batch_size": 1, "precision.compute": "fp32", "parallel.device": "cpu", "parallel.threads": 1,
            "preview.every_steps": 0, "metrics.exporter": "false"}


def run(program, *arguments):
    done = subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stderr


def make_dataset(folder):
    random = np.random.default_rng(1)
    (folder / "images").mkdir()
    for i in range(32):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / "images" / f"{i}.png")
    run("effuse-pack", "--input", folder / "images", "--output", folder / "packed", "--image-size", 16)


def train(folder, name, background, given):
    """(stalls, writing times, seconds of a step) of one run, and the size of its weights."""
    words = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    run("effuse-train", "--name", name, "--runs", folder / "runs", "--data", folder / "packed", "--fresh",
        "--steps", given.saves * given.every, *words, "--set", f"checkpoint.every_steps={given.every}",
        "--set", f"checkpoint.background={str(background).lower()}")
    log = (folder / "runs" / name / "logs/rank-0000.log").read_text()
    stalls = [float(found) for found in re.findall(r"training stood still for ([\d.]+) s", log)]
    writes = [float(found) for found in re.findall(r"saved: .* in ([\d.]+) s", log)]
    assert len(stalls) == len(writes) == given.saves, log
    weights = folder / "runs" / name / "checkpoints/latest/model.safetensors"
    return stalls[1:-1], writes[1:-1], weights.stat().st_size


def spread(values, unit=1e3):
    return (f"median {unit * statistics.median(values):8.2f} ms, "
            f"{unit * min(values):.2f} to {unit * max(values):.2f} ({len(values)} saves)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--saves", type=int, default=7, help="of each run")
    parser.add_argument("--every", type=int, default=12, help="steps between saves")
    parser.add_argument("--runs", help="folder, on the disk to be measured; a temporary one by default")
    given = parser.parse_args()
    stalls, writes, ratios = {True: [], False: []}, {True: [], False: []}, []
    with tempfile.TemporaryDirectory(prefix="checkpoint-stall-", dir=given.runs) as place:
        folder = pathlib.Path(place)
        make_dataset(folder)
        for number in range(given.rounds):
            middle = {}
            for background in ((True, False) if number % 2 == 0 else (False, True)):
                these, written, size = train(folder, "stall", background, given)
                stalls[background] += these
                writes[background] += written
                middle[background] = statistics.median(these)
            ratios.append(middle[False] / middle[True])
            print(f"round {number + 1}: {1e3 * middle[True]:.2f} ms in the background, "
                  f"{1e3 * middle[False]:.2f} ms in the foreground, ratio {ratios[-1]:.1f}", flush=True)
    print(f"weights of {size / 2**20:.1f} MiB, checkpoints of four times that")
    print(f"background = true : stall {spread(stalls[True])}; writing {spread(writes[True])}")
    print(f"background = false: stall {spread(stalls[False])}")
    print(f"ratio of stalls: median {statistics.median(ratios):.1f}, {min(ratios):.1f} to {max(ratios):.1f} "
          f"({len(ratios)} rounds)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
