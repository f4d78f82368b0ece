"""A rank that is busy longer than a step may last, in a part of the job that has its own deadline, is waited for."""

import errno
import os
import pathlib
import re
import time

import pytest

from failing_jobs import (STEPS, Job, arguments, checkpoints, log_lines, log_of, make_workplace, outcome)

STEP_TIMEOUT_S = 1


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return make_workplace(tmp_path_factory.mktemp("section"))


class Gate:
    """Holds the process that writes a file whose path contains `part`, from arrived() to open()."""

    def __init__(self, folder, part, monkeypatch):
        self.pipe = folder / "gate"
        self.end = None
        os.mkfifo(self.pipe)
        monkeypatch.setenv("LD_PRELOAD", str(pathlib.Path(os.environ["EFFUSE_BIN"]) / "libhold_file.so"))
        monkeypatch.setenv("EFFUSE_HOLD", part)
        monkeypatch.setenv("EFFUSE_HOLD_GATE", str(self.pipe))

    def arrived(self):
        try:
            self.end = os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            assert error.errno == errno.ENXIO  # nobody reads
            return False
        return True

    def open(self):
        os.close(self.end)


def start_held(workplace, name, part, tmp_path, monkeypatch, **settings):
    gate = Gate(tmp_path, part, monkeypatch)
    job = Job(*arguments(workplace, name, **{"parallel.step_timeout_s": STEP_TIMEOUT_S}, **settings), ranks=2)
    job.wait_for(gate.arrived)
    return job, gate


def assert_done(workplace, name, job):
    code, messages = job.end()
    assert code == 0, messages
    assert outcome(workplace / "runs" / name)["outcome"] == "done"
    assert len(log_lines(workplace / "runs" / name)) == STEPS


@pytest.mark.parametrize("section, part, settings", [
    ("startup", "metrics/train.jsonl", {}),
    ("preview", "previews/.step-00000002", {"preview.every_steps": 2}),
])
def test_a_step_waits_for_a_rank_that_is_still_in_another_section(workplace, tmp_path, monkeypatch, section, part,
                                                                  settings):
    """Rank 0 alone is held, where it writes a file, while rank 1 has gone on to the next step."""
    job, gate = start_held(workplace, section, part, tmp_path, monkeypatch, **settings)
    told = re.compile(rf"rank 1 waits on in \w+ of .*: rank 0 is in section {section}, last came to ")
    job.wait_for(lambda: told.search(log_of(workplace, section, 1)))
    gate.open()
    assert_done(workplace, section, job)


def test_a_save_may_take_longer_than_a_step(workplace, tmp_path, monkeypatch):
    job, gate = start_held(workplace, "save", "optimizer.safetensors", tmp_path, monkeypatch)
    assert checkpoints(workplace / "runs/save") == []
    time.sleep(2.5 * STEP_TIMEOUT_S)  # what must not happen in this time has no event
    assert job.process.poll() is None
    gate.open()
    assert_done(workplace, "save", job)
    assert checkpoints(workplace / "runs/save")[-1] == f"step-{STEPS:08d}"
