"""A disk that fills up while effuse-train saves in the background, in a drill and for real."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))
from programs import (assert_same_run, checkpoints, last_checkpoint, make_config, make_dataset,  # noqa: E402
                      outcome, overrides, run)

STEPS = 20
BLOCK_bytes = 4096


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full-disk")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


def train(workplace, name, ranks=2, **settings):
    return run("effuse-train", "--config", workplace / "tiny.toml", "--name", name,
               *overrides({"run.steps": STEPS, "preview.every_steps": 0, **settings}), ranks=ranks)


@pytest.fixture(scope="module")
def straight(workplace):
    result = train(workplace, "straight")
    assert result.returncode == 0, result.stderr
    return workplace / "runs/straight"


def assert_ended_in_order(result, folder, *messages):
    assert result.returncode == 1, result.stderr
    for message in (*messages, "checkpoints saved before it stay valid", "Free some space there"):
        assert message in result.stderr, result.stderr
    assert result.stderr.count("which is tried once more") == 1
    assert "ends the job for all ranks" not in result.stderr, "all ranks agree on it"
    record = outcome(folder)
    assert (record["outcome"], record["exit_code"]) == ("failure", 1)
    assert messages[0] in record["reason"]
    assert not list((folder / "checkpoints").glob(".*"))


@pytest.mark.parametrize("background", ["true", "false"])
@pytest.mark.parametrize("operation", [1, 40])
def test_a_save_that_fails_ends_the_job_in_order(workplace, straight, background, operation):
    name = f"drill-{background}-{operation}"
    drill = {"drill.fault": "fail_in_save", "drill.step": 7, "drill.operation": operation}
    failed = train(workplace, name, **drill, **{"checkpoint.background": background})
    folder = workplace / "runs" / name
    assert_ended_in_order(failed, folder, "step-00000010", "No space left on device")
    assert checkpoints(folder) == ["step-00000005"]
    assert outcome(folder)["step"] == (15 if background == "true" else 10), "known at the next save"
    again = train(workplace, name)
    assert again.returncode == 0 and "continuing after step 5" in again.stderr, again.stderr
    assert_same_run(folder, straight)


def test_a_drill_of_a_rank_that_saves_nothing_is_refused(workplace):
    refused = train(workplace, "refused", **{"drill.fault": "fail_in_save", "drill.rank": 1})
    assert refused.returncode == 2 and "Give drill.rank=0" in refused.stderr, refused.stderr
    assert not (workplace / "runs/refused").exists()


def mount(folder, *options):
    words = ["mount", "-t", "tmpfs", "-o", ",".join(options), "effuse-test", str(folder)]
    return os.geteuid() == 0 and subprocess.run(words, capture_output=True).returncode == 0


def blocks(checkpoint):
    return sum(-(-path.stat().st_size // BLOCK_bytes) for path in checkpoint.iterdir())


@pytest.fixture
def small_disk(tmp_path, straight):
    """A file system with room for two checkpoints and what else a run writes, not for a third."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = (2 * blocks(last_checkpoint(straight)) + 30) * BLOCK_bytes
    if not mount(folder, f"size={size}"):
        pytest.skip("NOT TESTED: mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_in_truth(workplace, straight, small_disk):
    folder = small_disk / "full"
    full = train(workplace, "full", **{"run.folder": small_disk, "metrics.report": "false"})
    assert_ended_in_order(full, folder, "No space left on device", "step-00000015")
    assert checkpoints(folder) == ["step-00000005", "step-00000010"]
    assert mount(small_disk, "remount", "size=64m")
    again = train(workplace, "full", **{"run.folder": small_disk, "metrics.report": "false"})
    assert again.returncode == 0 and "continuing after step 10" in again.stderr, again.stderr
    assert_same_run(folder, straight)
