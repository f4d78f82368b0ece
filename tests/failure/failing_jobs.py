"""Training jobs that meet a fault, and what they leave: for the tests of this folder."""

import json
import os
import pathlib
import re
import select
import sys

import pytest
from safetensors.numpy import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))

from programs import (TIMEOUT_S, checkpoints, descendants, kill_all, last_checkpoint, log_lines, make_config,
                      make_dataset, outcome, overrides, run, start, wait_until)

STEPS = 12
QUICK = {"run.steps": STEPS, "preview.every_steps": 0}


def arguments(workplace, name, **settings):
    return ["--config", workplace / "tiny.toml", "--name", name, *overrides({**QUICK, **settings})]


def make_workplace(folder):
    make_dataset(folder / "packed", classes=3)
    make_config(folder)
    return folder


def rank_of(pid):
    """None for what is no rank, or not yet one."""
    try:
        words = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    for word in words:
        if word.startswith(b"OMPI_COMM_WORLD_RANK="):
            return int(word.split(b"=")[1])
    return None


class Job:
    """effuse-train under mpirun. Its ranks are watched from the start, so that none outlives it."""

    def __init__(self, *words, ranks):
        self.process = start("effuse-train", *words, ranks=ranks)
        self.pids = wait_until(lambda: self._find_ranks(ranks), self.process)
        self.handles = [os.pidfd_open(pid) for pid in self.pids.values()]

    def _find_ranks(self, ranks):
        found = {rank_of(pid): pid for pid in descendants(self.process.pid)}
        found.pop(None, None)
        return found if len(found) == ranks else None

    def wait_for(self, condition):
        return wait_until(condition, self.process)

    def end(self):
        """(exit code, all messages), once no process of the job is left."""
        try:
            messages, _ = self.process.communicate(timeout=TIMEOUT_S)
            for handle in self.handles:  # readable once the process has ended
                ended, _, _ = select.select([handle], [], [], TIMEOUT_S)
                assert ended, "a rank has outlived its job: " + messages
        except Exception:
            kill_all(self.process)
            raise
        return self.process.returncode, messages


def fail(workplace, name, ranks, **settings):
    """Runs a job that is to fail: its messages."""
    code, messages = Job(*arguments(workplace, name, **settings), ranks=ranks).end()
    assert code != 0, messages
    return messages


def assert_continues(workplace, name, ranks, straight):
    """The same command without the fault ends as the run that never met one, bit for bit."""
    again = run("effuse-train", *arguments(workplace, name), ranks=ranks)
    assert again.returncode == 0, again.stderr
    assert "continuing after step 5" in again.stderr
    folder = workplace / "runs" / name
    record = outcome(folder)
    assert (record["outcome"], record["step"], record["attempt"]) == ("done", STEPS, 2), record
    assert log_lines(folder) == log_lines(straight)
    ours, theirs = (load_file(last_checkpoint(f) / "model.safetensors") for f in (folder, straight))
    assert ours.keys() == theirs.keys()
    assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)


def log_of(workplace, name, rank):
    path = workplace / "runs" / name / f"logs/rank-{rank:04d}.log"
    return path.read_text() if path.exists() else ""
