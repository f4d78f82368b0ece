"""Kills effuse-train at random, again and again, and submits the same command until the run is done.

    EFFUSE_BIN=build/release/bin .deps/python/bin/python tests/chaos/chaos.py --kills 200
    EFFUSE_BIN=build/release/bin .deps/python/bin/python tests/chaos/chaos.py --minutes 30 --ranks 3 --seed 7

What is struck, and when, is drawn from the seed: a rank, the launcher or all of them get SIGKILL, or a rank gets
SIGSTOP and the others are left to find out by their deadline; during start-up, after some steps, when a checkpoint
appears, or while one is being written. Runs follow each other until there were enough kills. Each has to come to the
weights and the log, bit for bit, of a run that was left alone, and to leave nothing else behind.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))
from programs import (VARIABLES, checkpoints, descendants, differences, kill_all, make_config, make_dataset,  # noqa: E402
                      outcome, overrides, run, start)

# A rank that hangs is found within seconds, and one on a busy machine not taken for it.
SETTINGS = {"preview.every_steps": 0, "checkpoint.every_steps": 7, "parallel.step_timeout_s": 10,
            "parallel.save_timeout_s": 10, "parallel.startup_timeout_s": 30, "metrics.draws": "true"}
END_TIMEOUT_S = 90  # in which a job that was struck has to be gone
POLL_S = 0.002
# How many of ten are so.
BLOWS = {"a rank killed": 4, "the launcher killed": 2, "all killed": 3, "a rank stopped": 1}
MOMENTS = {"after steps": 4, "at a checkpoint": 2, "in a save": 3, "at the start": 1}


class Survivors(Exception):
    """Processes that outlived their job."""


@dataclasses.dataclass
class Totals:
    runs: int = 0
    attempts: int = 0
    kills: int = 0
    steps_made: int = 0
    steps_done: int = 0
    blows: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    problems: list = dataclasses.field(default_factory=list)

    def report(self):
        lost = self.steps_made - self.steps_done
        goodput = self.steps_done / self.steps_made if self.steps_made else 1.0
        lines = [f"{self.kills} kills in {self.attempts} attempts at {self.runs} runs",
                 *(f"  {count:4d}  {name}" for name, count in sorted(self.blows.items())),
                 f"{self.steps_made} steps made, {self.steps_done} done, {lost} made again: goodput {goodput:.3f}",
                 *(f"PROBLEM: {problem}" for problem in self.problems),
                 "final weights and logs: " + ("NOT as they should be" if self.problems else "equal bit for bit")]
        return "\n".join(lines)


class Deck:
    """Cards drawn in random order; shuffled again when all are gone. A card is on top until it is put away."""

    def __init__(self, counts, chance):
        self.all = [name for name, count in counts.items() for _ in range(count)]
        self.chance = chance
        self.left = []

    def top(self):
        if not self.left:
            self.left = self.chance.sample(self.all, len(self.all))
        return self.left[-1]

    def put_away(self):
        self.left.pop()


class Fate:
    """What is to happen to attempts."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.blows, self.moments = Deck(BLOWS, self.chance), Deck(MOMENTS, self.chance)


def steps_logged(folder):
    """The last whole line's step; 0 where there is none."""
    try:
        lines = (folder / "metrics/train.jsonl").read_bytes().split(b"\n")[:-1]
    except OSError:
        return 0
    return json.loads(lines[-1])["step"] if lines else 0


def is_saving(folder):
    return any(folder.glob("checkpoints/.step-*.tmp-*"))


def moment_of(name, chance, folder):
    """A function that says whether the moment has come, for an attempt that begins now."""
    if name == "at the start":
        due_s = time.monotonic() + chance.uniform(0.0, 1.5)
        return lambda: time.monotonic() >= due_s
    if name == "after steps":
        begun_at, wanted = [], chance.randint(1, 40)  # what the attempt before left is cut away first

        def came():
            if not (folder / "outcome.json").exists() or outcome(folder)["outcome"] != "running":
                return False
            begun_at.append(steps_logged(folder))
            return begun_at[-1] >= min(begun_at) + wanted
        return came
    before, wanted = set(checkpoints(folder)), chance.randint(1, 3)
    if name == "at a checkpoint":
        return lambda: len(set(checkpoints(folder)) - before) >= wanted
    return lambda: len(set(checkpoints(folder)) - before) >= wanted - 1 and is_saving(folder)


def strike(job, blow, chance):
    ranks = descendants(job.pid)
    if blow == "all killed" or not ranks:
        kill_all(job)
    elif blow == "the launcher killed":
        job.kill()
    else:
        number = signal.SIGSTOP if blow == "a rank stopped" else signal.SIGKILL
        try:
            os.kill(chance.choice(ranks), number)
        except ProcessLookupError:
            pass  # the job came to its end just now


def handles_of(pids):
    handles = []
    for pid in pids:
        try:
            handles.append(os.pidfd_open(pid))
        except ProcessLookupError:
            pass
    return handles


def await_end(job, handles):
    """The job's messages, once it and every process of `handles` have ended."""
    deadline_s = time.monotonic() + END_TIMEOUT_S
    try:
        for handle in handles:  # readable once the process has ended
            if not select.select([handle], [], [], max(0.0, deadline_s - time.monotonic()))[0]:
                raise Survivors("ranks outlived their job")
        return job.communicate(timeout=END_TIMEOUT_S)[0]
    except subprocess.TimeoutExpired as error:
        raise Survivors("the job did not end") from error
    finally:
        for handle in handles:
            os.close(handle)


def harass(job, folder, fate, totals):
    """Strikes when the moment has come, unless the job ends before. Returns handles of what was struck."""
    came = moment_of(fate.moments.top(), fate.chance, folder)
    while job.poll() is None:
        if not came():
            time.sleep(POLL_S)
            continue
        handles = handles_of(descendants(job.pid))
        strike(job, fate.blows.top(), fate.chance)
        totals.kills += 1
        totals.blows[f"{fate.blows.top()} {fate.moments.top()}"] += 1
        fate.blows.put_away()
        fate.moments.put_away()
        return handles
    return []


def attempt(words, ranks, folder, fate, totals):
    """Submits the command once, and strikes where there is a fate. Returns whether the run is done."""
    totals.attempts += 1
    kills_before = totals.kills
    job = start("effuse-train", *words, ranks=ranks)
    try:
        said = await_end(job, harass(job, folder, fate, totals) if fate else [])
    except BaseException:
        kill_all(job)
        raise
    if job.returncode != 0 and totals.kills == kills_before:
        totals.problems.append(f"an attempt that was left alone failed: {said}")
    began = re.search(r"continuing after step ([\d,]+)", said)
    if re.search(r"^steps  ", said, re.M):
        totals.steps_made += max(0, steps_logged(folder) - (int(began[1].replace(",", "")) if began else 0))
    return job.returncode == 0


def leftovers(folder):
    return [str(path) for path in (*folder.parent.glob(f".{folder.name}.*"), *folder.rglob("*"))
            if path.name.startswith(".") or path.name.endswith((".removed", ".replaced"))]


def check(folder, straight, totals):
    totals.problems += [f"{folder.name}: {problem}"
                        for problem in (*differences(folder, straight), *map("left behind: {}".format, leftovers(folder)))]
    for file in (straight / "metrics/draws").iterdir():
        if file.read_text() != (folder / "metrics/draws" / file.name).read_text():
            totals.problems.append(f"{folder.name}: {file.name} of draws")


def run_chaos(place, kills=None, minutes=None, ranks=2, seed=0, steps=120, say=print):
    """Works in the folder `place`. Ends after `kills` or `minutes`, whichever is given."""
    fate = Fate(seed)
    (place / "mpi").mkdir()  # what a launcher that is killed does not remove
    VARIABLES.update(OMPI_MCA_orte_tmpdir_base=str(place / "mpi"), OMPI_MCA_btl_vader_backing_directory=str(place / "mpi"))
    make_dataset(place / "packed")
    config = make_config(place)
    settings = overrides({**SETTINGS, "run.steps": steps})
    alone = run("effuse-train", "--config", config, "--name", "straight", *settings, ranks=ranks)
    assert alone.returncode == 0, alone.stderr
    totals = Totals()
    end_s = time.monotonic() + 60 * (minutes or 0)

    def enough():
        return totals.problems or (totals.kills >= kills if kills else time.monotonic() >= end_s)

    while not enough():
        totals.runs += 1
        folder = place / "runs" / f"chaos-{totals.runs}"
        words = ["--config", config, "--name", folder.name, *settings]
        while not totals.problems and not attempt(words, ranks, folder, None if enough() else fate, totals):
            say(f"{totals.kills} kills, run {totals.runs}, step {steps_logged(folder)} of {steps}")
        totals.steps_done += steps_logged(folder)
        if not totals.problems:
            check(folder, place / "runs/straight", totals)
            shutil.rmtree(folder)
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    until = parser.add_mutually_exclusive_group()
    until.add_argument("--kills", type=int, default=20)
    until.add_argument("--minutes", type=float)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=120, help="of each run")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="effuse-chaos-") as place:
        totals = run_chaos(pathlib.Path(place), None if given.minutes else given.kills, given.minutes, given.ranks,
                           given.seed, given.steps)
    print(totals.report())
    return 1 if totals.problems else 0


if __name__ == "__main__":
    sys.exit(main())
