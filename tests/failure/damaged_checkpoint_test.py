"""Every file of a run's newest checkpoint, damaged in every way: the one before is used, that is said, and the run
comes to the weights it would have had."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))
from programs import (TIMEOUT_S, assert_same_run, checkpoints, command, environment,  # noqa: E402
                      last_checkpoint, make_config, make_dataset, overrides, run)

FILES = ["model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json", "manifest.json"]


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])


WAYS = {"flipped": flip_a_byte, "truncated": truncate, "missing": pathlib.Path.unlink}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


def train(workplace, name, steps):
    result = run("effuse-train", "--config", workplace / "tiny.toml", "--name", name,
                 *overrides({"run.steps": steps, "preview.every_steps": 0, "checkpoint.keep_last": 3}))
    assert result.returncode == 0, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def trained(workplace):
    """A run of 15 steps with checkpoints at 5, 10 and 15; to be copied, not changed."""
    train(workplace, "trained", 15)
    return workplace / "runs/trained"


@pytest.fixture(scope="module")
def straight(workplace):
    train(workplace, "straight", 17)
    return workplace / "runs/straight"


@pytest.fixture
def begun(trained, request):
    folder = trained.parent / request.node.name
    shutil.copytree(trained, folder, symlinks=True)
    return folder


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_named_and_the_checkpoint_before_used(workplace, straight, begun, file, way):
    WAYS[way](last_checkpoint(begun) / file)
    said = train(workplace, begun.name, 17)
    warning, = (line for line in said.splitlines() if line.startswith("warning: "))
    assert "step-00000015 is damaged: " in warning and file in warning, warning
    assert warning.endswith("Using the checkpoint of step 10 instead.")
    assert "continuing after step 10" in said
    assert_same_run(begun, straight)
    assert checkpoints(begun) == checkpoints(straight)


@pytest.mark.parametrize("way", WAYS)
def test_two_damaged_checkpoints_are_both_named(workplace, straight, begun, way):
    for name, file in zip(checkpoints(begun)[1:], FILES):
        WAYS[way](begun / "checkpoints" / name / file)
    said = train(workplace, begun.name, 17)
    assert said.count("Using the checkpoint of step 5 instead.") == 2, said
    assert_same_run(begun, straight)


def test_a_rank_need_not_see_the_checkpoints(begun):
    """As where a network file system shows another host an old state: rank 0 alone reads and writes them."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        pytest.skip("NOT TESTED: hiding a folder from one rank needs root")
    words = overrides({"run.steps": 17, "preview.every_steps": 0, "checkpoint.keep_last": 3,
                       "parallel.replica_check_every_steps": 1})
    launch = list(map(str, command("effuse-train", "--config", begun.parents[1] / "tiny.toml", "--name", begun.name,
                                   *words, ranks=1)))
    program = next(i for i, word in enumerate(launch) if word.endswith("/effuse-train"))
    hidden = 'mount -t tmpfs hidden "$0" && exec "$@"'
    second = ["unshare", "-m", "sh", "-c", hidden, str(begun / "checkpoints"), *launch[program:]]
    done = subprocess.run([*launch, ":", "-n", "1", *second], capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_S, env=environment())
    assert done.returncode == 0, done.stderr
    assert "ranks       2" in done.stderr and "continuing after step 15" in done.stderr, done.stderr
    assert checkpoints(begun)[-1] == "step-00000017"
