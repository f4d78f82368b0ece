"""A rank of effuse-sample that hangs ends the job, and is named."""

import os
import signal

import pytest

from failing_jobs import rank_of
from programs import descendants, kill_all, make_config, make_dataset, run, start, wait_until


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampling")
    make_dataset(folder / "packed")
    trained = run("effuse-train", "--config", make_config(folder), "--set", "run.steps=1")
    assert trained.returncode == 0, trained.stderr
    return folder / "runs/tiny"


def test_a_rank_that_is_stopped_ends_the_job(model, tmp_path):
    job = start("effuse-sample", "--weights", model, "--output", tmp_path / "out", "--number", 200000, "--tile", 2, "--steps",
                4, "--device", "cpu", "--set", "parallel.threads=1", "--set", "parallel.preview_timeout_s=2", ranks=2)
    try:
        wait_until((tmp_path / "out/images/00000/00000020.png").exists, job)
        ranks = {rank_of(pid): pid for pid in descendants(job.pid)}
        os.kill(ranks[1], signal.SIGSTOP)
        messages, _ = job.communicate(timeout=60)
    finally:
        kill_all(job)
    assert job.returncode == 1, messages
    assert "all_gather" in messages and "rank 1" in messages, messages
