"""Inception features by Effuse beside pytorch-fid on this machine: the same weights, images and convention, in fp32.

    compare.py [--images 200] [--side 32] [--rounds 5] [--tile 32] [--threads N] [--device cpu|cuda] [--quick]

Says how many times as many images a second Effuse takes in, with a 95 % interval: from PNG files to mean and covariance.
The programs take turns, a set each; what they compute is compared by tests/jobs/evaluate_references_test.py.

Ends with 1 where Effuse is slower (the interval's lower end is below 0.97); not with --quick."""

import pathlib
import sys
import tempfile

import numpy as np
from PIL import Image

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS / "training"), str(BENCHMARKS.parent / "tests/jobs")]

import inception_file  # noqa: E402
import machine  # noqa: E402
import ratios  # noqa: E402
import turns  # noqa: E402


def arguments():
    parser = turns.parser(__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--tile", type=int, default=32, help="images in one pass of ours")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 2
    return options


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
    folder = place / "images"
    with turns.Program([options.bin / "feature_timing", weights, options.device, options.threads, options.tile],
                       options.threads) as ours, \
         turns.Program([sys.executable, pathlib.Path(__file__).with_name("peer.py"), weights, options.device,
                        options.threads], options.threads) as theirs:
        times = [(ours.ask(folder), theirs.ask(folder)) for _ in range(options.rounds + 1)]
    return zip(*times[1:])  # the first warms up


def main():
    options = arguments()
    turns.require_modules("torch", "pytorch_fid")
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
