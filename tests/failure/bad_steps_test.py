"""Steps that go wrong on purpose (drills): they are skipped by all ranks, or training goes back."""

import json
import pathlib
import signal
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))

from programs import (IMAGES, assert_same_run, checkpoints, last_checkpoint, make_config, make_dataset,  # noqa: E402
                      outcome, start)
from runs import TENSORS, assert_same_tensors, attempt, records, state, tensors, train, words  # noqa: E402

BATCH = 8
LR = 0.002


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad-steps")
    make_dataset(folder / "packed", classes=2)
    make_config(folder)
    return folder


def drill(fault, step, rank=0, **settings):
    return {"drill.fault": fault, "drill.step": step, "drill.rank": rank, "preview.every_steps": 0, **settings}


def bad_steps(folder):
    """{step: what was written of it}"""
    found = {}
    for path in sorted((folder / "bad_steps").glob("*")):
        record = json.loads(path.read_text())
        assert path.name == f"step-{record['step']:08d}.json"
        found[record["step"]] = record
    return found


def assert_finite(checkpoint):
    for kind in TENSORS:
        assert all(np.isfinite(tensor).all() for tensor in tensors(checkpoint, kind).values()), kind


@pytest.fixture(scope="module")
def skipped(workplace):
    """{(ranks, rank with a NaN in step 7): run folder}, with every checkpoint."""
    every = {"run.steps": 10, "checkpoint.every_steps": 1, "checkpoint.keep_last": 100}
    return {(ranks, rank): train(workplace, f"skipped-{ranks}-{rank}", ranks,
                                 drill("nan", 7, rank, **every, **more))
            for ranks, rank, more in ((2, 0, {}), (2, 1, {}),
                                      (3, 2, {"parallel.micro_batch": 1}))}


@pytest.mark.parametrize("case", [(2, 0), (2, 1), (3, 2)])
def test_a_nan_at_one_rank_is_skipped_by_all(skipped, case):
    folder = skipped[case]
    lines = records(folder)
    assert [step for step, line in lines.items() if not line["good"]] == [7]
    assert lines[7]["loss"] is None and lines[7]["grad_norm"] is None
    before, bad, after = (folder / f"checkpoints/step-{step:08d}" for step in (6, 8, 9))
    assert state(before)["control"]["updates"] == 6
    assert state(bad)["control"]["updates"] == 7, "of eight steps one made none"
    assert state(after)["step"] == 9
    assert_finite(last_checkpoint(folder))
    assert outcome(folder)["outcome"] == "done"


def test_a_bad_step_changes_no_weight_moment_or_average(workplace, skipped):
    """The run that stops at step 7 saves what that step left: what step 6 had left."""
    settings = drill("nan", 7, 1, **{"run.steps": 7, "checkpoint.every_steps": 1})
    folder = train(workplace, "ends-badly", 2, settings)
    assert_same_tensors(folder / "checkpoints/step-00000007", skipped[2, 1] / "checkpoints/step-00000006")
    assert state(last_checkpoint(folder))["control"] == state(folder / "checkpoints/step-00000006")["control"]


def test_it_does_not_matter_which_rank_it_happened_to(skipped):
    assert_same_run(skipped[2, 0], skipped[2, 1])


def test_the_images_of_a_bad_step_are_written_down(skipped):
    for folder in skipped.values():
        record = bad_steps(folder).pop(7)
        assert bad_steps(folder).keys() == {7}
        assert (record["loss"], record["grad_norm"]) == ("nan", "nan")
        assert record["first_position"] == 6 * BATCH
        assert len(set(record["images"])) == BATCH and set(record["images"]) <= set(range(IMAGES))
        assert record == bad_steps(skipped[2, 0])[7], "the same batch at any number of ranks"


@pytest.fixture(scope="module")
def straight(workplace):
    """A run without a drill."""
    return train(workplace, "straight", 2, {"run.steps": 12, "preview.every_steps": 0})


def test_too_many_bad_steps_lead_back_until_it_is_given_up(workplace, straight):
    settings = drill("nan", 8, 1, **{"run.steps": 12, "recovery.skip_limit": 0, "recovery.max_restores": 2,
                                     "recovery.lr_factor": 0.25})
    folder, job = attempt(workplace, "given-up", 2, settings)
    assert job.returncode == 1, job.stderr
    assert job.stderr.count("back to the checkpoint of step 5") == 2, job.stderr
    assert ("training has diverged by step 9: 1 step had a loss or gradients that are not finite"
            in job.stderr)
    assert "a checkpoint was restored 2 times before" in job.stderr and "MPI_ABORT" not in job.stderr
    record = outcome(folder)
    assert (record["outcome"], record["exit_code"]) == ("failure", 1)
    assert "training has diverged" in record["reason"]
    assert bad_steps(folder).keys() == {8}
    rates = {step: line["lr"] / LR for step, line in records(folder).items()}
    assert rates == pytest.approx({**dict.fromkeys(range(1, 6), 1.0), **dict.fromkeys(range(6, 10), 0.25**2)})

    assert checkpoints(folder) == ["step-00000005"]
    settings["drill.fault"] = "none"
    assert_same_run(train(workplace, "given-up", 2, settings), straight)


def stop_once_it_went_back(workplace, name, settings):
    """Stops a run that goes back again and again, after the first time."""
    job = start("effuse-train", *words(workplace, name, **settings), ranks=2)
    for line in job.stdout:
        if "back to the checkpoint of step" in line:
            break
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages


def test_the_lowered_learning_rate_and_the_restores_are_kept(workplace):
    name, factor = "kept", 0.9
    folder = train(workplace, name, 2, {"run.steps": 2, "preview.every_steps": 0})
    settings = drill("nan", 60, 1, **{"run.steps": 100, "checkpoint.every_steps": 0, "recovery.skip_limit": 0,
                                      "recovery.max_restores": 1000, "recovery.lr_factor": factor})
    stop_once_it_went_back(workplace, name, settings)
    control = state(last_checkpoint(folder))["control"]
    restores = control["restores"]
    assert restores >= 1 and control["lr_factor"] == pytest.approx(factor**restores)
    stopped_at = outcome(folder)["step"]

    train(workplace, name, 2, {**settings, "drill.fault": "none"})
    lines = records(folder)
    rates = {step: line["lr"] / LR for step, line in lines.items() if step > 2}
    assert rates == pytest.approx(dict.fromkeys(range(3, 101), factor**restores)), stopped_at
    control = state(last_checkpoint(folder))["control"]
    assert (control["restores"], control["lr_factor"]) == (restores, pytest.approx(factor**restores))

    settings = {**settings, "run.steps": 200, "drill.step": 102, "recovery.max_restores": restores}
    _, job = attempt(workplace, name, 2, settings)
    assert job.returncode == 1 and f"restored {restores} times before" in job.stderr, job.stderr


def test_before_the_first_checkpoint_there_is_nothing_to_go_back_to(workplace):
    folder, job = attempt(workplace, "too-early", 2, drill("nan", 2, **{"recovery.skip_limit": 0}))
    assert job.returncode == 1, job.stderr
    assert "there is no checkpoint to go back to. Lower optimizer.lr" in job.stderr
    assert outcome(folder)["exit_code"] == 1 and not checkpoints(folder)
    assert bad_steps(folder).keys() == {2}


def test_no_checkpoint_is_made_of_a_bad_step(workplace):
    """Weights that only bring bad steps must not take the place of those before."""
    settings = drill("nan", 5, **{"run.steps": 12, "checkpoint.every_steps": 1, "checkpoint.keep_last": 100})
    folder = train(workplace, "not-saved", 1, settings)
    assert checkpoints(folder) == [f"step-{step:08d}" for step in range(1, 13) if step != 5]


def test_a_spike_is_skipped_once_norms_have_settled(workplace):
    settings = drill("spike", 120, 1, **{"run.steps": 122, "checkpoint.every_steps": 0})
    folder = train(workplace, "spike", 2, settings)
    lines = records(folder)
    assert [step for step, line in lines.items() if not line["good"]] == [120]
    settled = max(line["grad_norm"] for step, line in lines.items() if 100 < step != 120)
    assert lines[120]["grad_norm"] > 100 * settled
    assert lines[121]["loss"] < 2 * lines[119]["loss"]
    record = bad_steps(folder)[120]
    assert record["grad_norm"] == lines[120]["grad_norm"] and record["loss"] == lines[120]["loss"]


def test_a_spike_before_that_is_a_step_like_any_other(workplace):
    folder = train(workplace, "early-spike", 2, drill("spike", 9, 1, **{"run.steps": 10}))
    assert all(line["good"] for line in records(folder).values())
    assert not bad_steps(folder)


def test_an_exporter_and_previews_survive_going_back(workplace):
    settings = drill("nan", 8, **{"run.steps": 12, "recovery.skip_limit": 0, "recovery.max_restores": 1,
                                  "metrics.exporter": "true", "metrics.address": "127.0.0.1",
                                  "preview.every_steps": 6})
    folder, job = attempt(workplace, "exporter", 2, settings)
    assert job.returncode == 1 and "restored 1 times before" in job.stderr, job.stderr
    assert not list((folder / "metrics/targets").glob("*"))
    assert [path.name for path in sorted((folder / "previews").iterdir())] == ["step-00000000.png", "step-00000006.png"]
