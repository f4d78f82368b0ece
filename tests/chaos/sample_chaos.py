#!/usr/bin/env python3
"""Kills effuse-sample at random moments and starts it again until the set is complete, which has to equal, byte for
byte, one that was made undisturbed.

  tests/chaos/sample_chaos.py --kills 20 --images 2000
"""

import argparse
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))

from chaos import await_end, handles_of  # noqa: E402
from programs import VARIABLES, descendants, kill_all, make_config, make_dataset, run, start  # noqa: E402

POLL_S = 0.002
TILE = 2


def made(folder):
    """Images or tiles that are there."""
    return sum(1 for path in (*folder.glob("images/*/*"), *folder.glob("tiles/*")) if path.name[0] != ".")


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def differences(folder, straight):
    left, right = tree(folder), tree(straight)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def kill_some_time(job, folder, chance, span):
    """SIGKILL to mpirun and all ranks, after a random time or once some more images are there. Whether it struck."""
    wanted = made(folder) + chance.randint(1, span)
    due_s = time.monotonic() + chance.uniform(0.2, 60.0)
    while job.poll() is None:
        if made(folder) < wanted and time.monotonic() < due_s:
            time.sleep(POLL_S)
            continue
        handles = handles_of(descendants(job.pid))
        kill_all(job)
        await_end(job, handles)
        return True
    return False


def run_kills(place, model, kills, images, kind, ranks=2, seed=0, say=print):
    """Makes the set place/KIND twice, the second time with `kills`. Returns how often it struck, and what differs."""
    chance = random.Random(seed)
    settings = ["--weights", model, "--number", images, "--format", kind, "--steps", 4, "--tile", TILE, "--device", "cpu",
                "--set", "parallel.threads=1"]
    files = images if kind in ("png", "jpeg", "webp") else images // TILE
    span = max(1, files // (kills + 3))  # so that something is left to be killed, however late a kill is
    straight, folder = place / f"{kind}-straight", place / kind
    alone = run("effuse-sample", *settings, "--output", straight, ranks=ranks)
    assert alone.returncode == 0, alone.stderr
    struck = 0
    while True:
        job = start("effuse-sample", *settings, "--output", folder, ranks=ranks)
        if struck < kills and kill_some_time(job, folder, chance, span):
            struck += 1
            say(f"{struck} kills, {made(folder)} files")
            continue
        messages, _ = job.communicate()
        assert job.returncode == 0, messages
        return struck, differences(folder, straight)


def make_model(place):
    make_dataset(place / "packed", classes=3)
    trained = run("effuse-train", "--config", make_config(place))
    assert trained.returncode == 0, trained.stderr
    return place / "runs/tiny"


def keep_launchers_in(place):
    """What a launcher that is killed does not remove."""
    (place / "mpi").mkdir()
    VARIABLES.update(OMPI_MCA_orte_tmpdir_base=str(place / "mpi"), OMPI_MCA_btl_vader_backing_directory=str(place / "mpi"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--format", default="png")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="effuse-chaos-") as name:
        place = pathlib.Path(name)
        keep_launchers_in(place)
        struck, differing = run_kills(place, make_model(place), given.kills, given.images, given.format, given.ranks,
                                      given.seed)
    print(f"{struck} kills; " + (f"DIFFERENT: {differing}" if differing else "the same bytes"))
    return 1 if differing or struck < given.kills else 0


if __name__ == "__main__":
    sys.exit(main())
