"""Inception features by Effuse beside pytorch-fid on this machine: the same weights, images and convention, in fp32.

    compare.py [--images 200] [--side 32] [--rounds 5] [--tile 32] [--threads N] [--device cpu|cuda] [--quick]

Says how many times as many images a second Effuse takes in, with a 95 % interval: from PNG files to mean and covariance.
The programs take turns, a set each; what they compute is compared by tests/jobs/evaluate_references_test.py.

Ends with 1 where Effuse is slower (the interval's lower end is below 0.97); not with --quick."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCHMARKS / "training"), str(BENCHMARKS.parent / "tests/jobs")]

import inception_file  # noqa: E402
import machine  # noqa: E402
import ratios  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--side", type=int, default=32, help="of the images, in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tile", type=int, default=32, help="images in one pass of ours")
    parser.add_argument("--threads", type=int, default=len(machine.cores()))
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bin", type=pathlib.Path, default=machine.REPOSITORY / "build/release/bin")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 2
    return options


class Program:
    """A process that is given a folder and answers with seconds, and waits while the other has its turn."""

    def __init__(self, command, threads):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=machine.environment(threads, OMP_WAIT_POLICY="passive"))

    def seconds(self, folder):
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[0]} failed")
        return float(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def make_place(place, options):
    import torch

    weights = {name: torch.from_numpy(tensor) for name, tensor in inception_file.make_weights().items()}
    torch.save(weights, place / "inception.pth")
    random = np.random.default_rng(1)
    (place / "images").mkdir()
    for i in range(options.images):
        pixels = random.integers(0, 256, (options.side, options.side, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"images/{i:05d}.png")


def take_turns(place, options):
    weights = place / "inception.pth"
    ours = Program([options.bin / "feature_timing", weights, options.device, options.threads, options.tile],
                   options.threads)
    theirs = Program([sys.executable, pathlib.Path(__file__).with_name("peer.py"), weights, options.device,
                      options.threads], options.threads)
    times = [(ours.seconds(place / "images"), theirs.seconds(place / "images")) for _ in range(options.rounds + 1)]
    ours.end()
    theirs.end()
    return zip(*times[1:])  # the first warms up


def main():
    options = arguments()
    missing = machine.missing_modules("torch", "pytorch_fid")
    if missing:
        sys.exit(f"{sys.executable} has no {', '.join(missing)}. scripts/setup --references installs them.")
    with tempfile.TemporaryDirectory(prefix="effuse-features-") as name:
        place = pathlib.Path(name)
        make_place(place, options)
        ours, theirs = ([[seconds / options.images] for seconds in times] for times in take_turns(place, options))
    middle, lower, upper = ratios.ratio(ours, theirs)
    print(f"{machine.describe(options.device)}; {options.images} images of {options.side} pixels")
    print(f"features: {middle:.2f} times ({lower:.2f} to {upper:.2f}); {1 / ratios.step_seconds(ours):.3g} against "
          f"{1 / ratios.step_seconds(theirs):.3g} images/s")
    return 1 if not options.quick and lower < 0.97 else 0


if __name__ == "__main__":
    sys.exit(main())
