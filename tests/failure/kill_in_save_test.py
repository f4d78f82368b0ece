"""A job of two ranks is killed (SIGKILL) at an operation on files of a save, and the same command goes on to
bit-identical weights.

In CI at operations of several kinds. At each there is (some 600, an hour), or at some, first to last:
EFFUSE_KILL_OPERATIONS=all pytest tests/failure/kill_in_save_test.py
EFFUSE_KILL_OPERATIONS=570-599 pytest tests/failure/kill_in_save_test.py
"""

import os
import pathlib
import shutil
import sys

import pytest
from safetensors.numpy import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))
from programs import (assert_same_run, checkpoints, last_checkpoint, make_config, make_dataset,  # noqa: E402
                      outcome, overrides, run)

STEPS = 18
SAVED = ["step-00000005", "step-00000010"]  # when the save of step 15 begins
KILLED = "step-00000015"
# How often an operation on a file of these names has come by when the job is killed: 1, the first.
POINTS = [("make_folder .step", 1), ("write model", 30), ("sync optimizer", 1), ("create state", 1),
          ("sync manifest", 1), ("rename step", 1), ("sync checkpoints", 1), ("rename latest", 1),
          ("rename .step", 1)]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill-in-save")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


def train(workplace, name, **settings):
    return run("effuse-train", "--config", workplace / "tiny.toml", "--name", name,
               *overrides({"run.steps": STEPS, "preview.every_steps": 0, **settings}), ranks=2)


@pytest.fixture(scope="module")
def straight(workplace):
    result = train(workplace, "straight")
    assert result.returncode == 0, result.stderr
    return workplace / "runs/straight"


def operations(checkpoint):
    """Those of the save of such a checkpoint, and of removing the one that is too many."""
    made = ["make_folder .step"]
    for kind in ("model", "ema", "optimizer"):
        writes = 2 + len(load_file(checkpoint / f"{kind}.safetensors"))  # length, header, tensors
        made += [f"create {kind}", *[f"write {kind}"] * writes, f"sync {kind}"]
    for kind in ("state", "manifest"):
        made += [f"create {kind}", f"write {kind}", f"sync {kind}"]
    return [*made, "sync .step", "rename step", "sync checkpoints", "link .latest", "rename latest",
            "sync checkpoints", "rename .step", "remove .step"]


def kill_and_continue(workplace, straight, number):
    """`number` counts from 1; returns what it names."""
    every = operations(last_checkpoint(straight))
    name = f"killed-{number}"
    killed = train(workplace, name, **{"drill.fault": "kill_in_save", "drill.step": 11,
                                       "drill.operation": number})
    folder = workplace / "runs" / name
    assert killed.returncode != 0 and "signal 9" in killed.stderr, killed.stderr
    assert outcome(folder)["outcome"] == "running"
    committed = "rename step" in every[:number - 1]
    assert checkpoints(folder) == [*SAVED, KILLED][1 if "rename .step" in every[:number - 1] else 0:
                                                   3 if committed else 2]
    again = train(workplace, name)
    assert again.returncode == 0, again.stderr
    assert f"continuing after step {15 if committed else 10}" in again.stderr
    assert "damaged" not in again.stderr
    assert_same_run(folder, straight)
    assert checkpoints(folder) == checkpoints(straight)
    assert not list((folder / "checkpoints").glob(".*"))
    shutil.rmtree(folder)
    return every[number - 1]


@pytest.mark.parametrize("operation, count", POINTS, ids=[f"{point[0]} {point[1]}" for point in POINTS])
def test_a_kill_at_an_operation_costs_no_more_than_that_save(workplace, straight, operation, count):
    every = operations(last_checkpoint(straight))
    number = [i for i, name in enumerate(every, start=1) if name == operation][count - 1]
    assert kill_and_continue(workplace, straight, number) == operation


def operations_asked_for(total):
    """The last one, where nothing is asked for."""
    words = os.environ.get("EFFUSE_KILL_OPERATIONS", str(total))
    first, _, last = f"1-{total}".partition("-") if words == "all" else words.partition("-")
    return range(int(first), int(last or first) + 1)


def test_a_kill_at_operations_asked_for(workplace, straight):
    every = operations(last_checkpoint(straight))
    for number in operations_asked_for(len(every)):
        assert kill_and_continue(workplace, straight, number) == every[number - 1]


def test_a_run_that_makes_no_headway_says_so(workplace):
    drill = {"drill.fault": "kill_in_save", "drill.step": 6}
    said = [train(workplace, "stuck", **drill).stderr for _ in range(4)]
    assert "attempt" not in "".join(said[:3]), "the first began at the start, and made a checkpoint"
    assert "warning: attempt 3 in a row that begins after step 5 (those before reached no checkpoint)" in said[3]
    assert (outcome(workplace / "runs/stuck")["attempt"], outcome(workplace / "runs/stuck")["began_there"]) == (4, 3)
