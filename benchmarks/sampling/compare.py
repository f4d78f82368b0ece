"""Generation by effuse-sample beside diffusers' DDIMPipeline on this machine: the same network, weights and steps.

    compare.py [--channels 32,64,64] [--side 32] [--steps 50] [--tile 16] [--rounds 5] [--tiles 3]

Says how many times as many images a second Effuse makes, with 95 % intervals: at equal precision and batch size, in fp32,
and at the best settings for this machine against the pipeline's defaults, which make one image at a time. The programs
take turns; times are per tile, seen from outside for Effuse, with writing its PNG files, and without for the pipeline.
First both make images from the same noise, which have to be equal.

Ends with 1 where images differ, or where Effuse is slower at equal settings (the interval's lower end is below 0.97);
not with --quick, which is to see that all parts work."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS / "training")]

import machine  # noqa: E402
import ratios  # noqa: E402
import turns  # noqa: E402

PEER = pathlib.Path(__file__).with_name("peer.py")
LARGEST_DIFFERENCE = 1e-3  # of values in [0, 1]: fp32 over all steps


def arguments():
    parser = turns.parser(__doc__)
    parser.add_argument("--channels", default="32,64,64", help="of the levels, of which the last but one attends")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--tile", type=int, default=16, help="images computed together")
    parser.add_argument("--tiles", type=int, default=3, help="timed tiles of a round")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.tiles = 2, 1
    return options


def run(command, threads):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                          env=machine.environment(threads))
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout


class Effuse:
    def __init__(self, options, place):
        self.options, self.place = options, place

    def run(self, output, *settings):
        options = self.options
        run([options.bin / "effuse-sample", "--weights", self.place / "model", "--output", output, "--sampler", "ddim",
             "--steps", options.steps, "--convention", "diffusers", "--device", options.device, "--set",
             f"parallel.threads={options.threads}", "--set", "metrics.exporter=false", *settings], options.threads)

    def round(self, tile, compute):
        """Seconds of each tile but the first, by when its last file was written."""
        output = self.place / "out"
        shutil.rmtree(output, ignore_errors=True)
        tiles = self.options.tiles + 1
        self.run(output, "--tile", tile, "--number", tile * tiles, "--compute", compute)
        ends = [(output / f"images/00000/{(k + 1) * tile - 1:08d}.png").stat().st_mtime_ns for k in range(tiles)]
        return [(after - before) / 1e9 for before, after in zip(ends, ends[1:])]


class Peer(turns.Program):
    def __init__(self, options, place):
        self.options = options
        super().__init__([sys.executable, PEER, place / "model", options.device, options.threads, options.steps],
                         options.threads)

    def ask(self, *words):
        return super().ask(json.dumps(words))

    def round(self, batch):
        """Seconds of each batch but the first."""
        return self.ask("time", batch, self.options.tiles + 1)[1:]


def largest_difference(effuse, peer, options, place):
    peer.ask("make", options.tile, str(place / "noise.safetensors"), str(place / "peer.npy"))
    effuse.run(place / "same", "--noise", place / "noise.safetensors", "--format", "npz", "--tile", options.tile)
    ours = np.load(place / "same/images.npz")["arr_0"] / 255
    return float(np.abs(ours - np.load(place / "peer.npy")).max())


def compare(name, ours, theirs, per_image):
    """per_image: by what to divide the seconds of both."""
    scaled = [[[seconds / images for seconds in of_round] for of_round in rounds]
              for rounds, images in zip((ours, theirs), per_image)]
    middle, lower, upper = ratios.ratio(*scaled)
    rates = [1 / ratios.step_seconds(rounds) for rounds in scaled]
    print(f"{name}: {middle:.2f} times ({lower:.2f} to {upper:.2f}); {rates[0]:.3g} against {rates[1]:.3g} images/s",
          flush=True)
    return lower


def take_turns(options, effuse, peer, place):
    """The largest difference of images made from the same noise, and (ours, theirs, ours at best, theirs by default)
    of each round."""
    peer.ask("save", options.channels, options.side)
    print(f"{machine.describe(options.device)}; {options.steps} steps of DDIM, images of {options.side} pixels")
    difference = largest_difference(effuse, peer, options, place)
    print(f"from the same noise: largest difference {difference:.1e}", flush=True)
    best = best_compute(options)
    return difference, [(effuse.round(options.tile, "fp32"), peer.round(options.tile), effuse.round(options.tile, best),
                         peer.round(1)) for _ in range(options.rounds)]


def best_compute(options):
    return "bf16" if machine.has_bf16(options.device) else "fp32"


def main():
    options = arguments()
    turns.require_modules("torch", "diffusers", "safetensors")
    with tempfile.TemporaryDirectory(prefix="effuse-sampling-") as name:
        place = pathlib.Path(name)
        with Peer(options, place) as peer:
            difference, rounds = take_turns(options, Effuse(options, place), peer, place)
    equal, batched, at_best, default = zip(*rounds)
    lower = compare("equal settings, fp32", equal, batched, (options.tile, options.tile))
    compare(f"best settings ({best_compute(options)}) against defaults", at_best, default, (options.tile, 1))
    # A grey level at most, where rounding falls on another side.
    differs = difference > 1 / 255 + LARGEST_DIFFERENCE
    return 1 if differs or (not options.quick and lower < 0.97) else 0


if __name__ == "__main__":
    sys.exit(main())
