"""effuse-train from outside: what it writes, and that stops, kills and ranks change nothing."""

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from programs import (assert_same_run, checkpoints, descendants, kill_all, last_checkpoint, log_lines, make_config,
                      make_dataset, outcome, overrides, run, start, wait_until)

STEPS = 60


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    make_dataset(folder / "packed", classes=3)
    make_config(folder)
    return folder


def arguments(workplace, name, **settings):
    return ["--config", workplace / "tiny.toml", "--name", name, *overrides(settings)]


def train(workplace, name, ranks=0, **settings):
    result = run("effuse-train", *arguments(workplace, name, **settings), ranks=ranks)
    assert result.returncode == 0, result.stderr
    return workplace / "runs" / name


@pytest.fixture(scope="module")
def straight(workplace):
    """{ranks: run folder} of runs that were never stopped."""
    return {ranks: train(workplace, f"straight-{ranks}", ranks, **{"run.steps": STEPS})
            for ranks in (1, 2)}


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_killed_run_continues_bit_for_bit(workplace, straight, ranks):
    words = arguments(workplace, f"killed-{ranks}", **{"run.steps": STEPS})
    folder = workplace / "runs" / f"killed-{ranks}"
    job = start("effuse-train", *words, ranks=ranks)
    wait_until((folder / "checkpoints/step-00000010/manifest.json").exists, job)
    kill_all(job)
    job.communicate()
    outcome = json.loads((folder / "outcome.json").read_text())
    assert (outcome["outcome"], outcome["exit_code"]) == ("running", None), outcome
    again = run("effuse-train", *words, ranks=ranks)
    assert again.returncode == 0 and "continuing after step" in again.stderr, again.stderr
    assert "another build" not in again.stderr, again.stderr
    assert_same_run(folder, straight[ranks])
    assert not list((folder / "checkpoints").glob(".*"))


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_stop_signal_saves_and_the_same_command_continues(workplace, straight, ranks):
    words = arguments(workplace, f"stopped-{ranks}", **{"run.steps": STEPS})
    folder = workplace / "runs" / f"stopped-{ranks}"
    job = start("effuse-train", *words, ranks=ranks)
    wait_until((folder / "checkpoints/step-00000005/manifest.json").exists, job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages
    record = outcome(folder)
    assert record["outcome"] == "stopped" and record["exit_code"] == 75 and record["attempt"] == 1
    assert last_checkpoint(folder).name == f"step-{record['step']:08d}"
    assert 5 <= record["step"] < STEPS
    assert run("effuse-train", *words, ranks=ranks).returncode == 0
    assert outcome(folder) == {"outcome": "done", "exit_code": 0, "step": STEPS,
                               "total_steps": STEPS, "reason": "all steps done", "start": "continue",
                               "slurm_job": "", "attempt": 2,
                               "began_after": record["step"], "began_there": 1}
    assert_same_run(folder, straight[ranks])


def losses(folder):
    return np.array([line[3] for line in log_lines(folder)])


def test_ranks_and_micro_batches_do_not_change_the_experiment(workplace, straight):
    expected = losses(straight[1])[:15]
    few = {"run.steps": 15}
    three = train(workplace, "three", 3, **few)
    micro = train(workplace, "micro", 1, **few, **{"parallel.micro_batch": 3})
    both = train(workplace, "both", 2, **few, **{"parallel.micro_batch": 1})
    assert losses(straight[2])[:15] == pytest.approx(expected, rel=1e-4)
    for folder in (three, micro, both):
        assert losses(folder) == pytest.approx(expected, rel=1e-4)


def test_without_a_launcher_as_with_one(workplace, straight):
    folder = train(workplace, "alone", 0, **{"run.steps": STEPS})
    assert_same_run(folder, straight[1])


def test_the_run_folder_holds_what_it_should(workplace, straight):
    folder = straight[2]
    assert [line[:3] for line in log_lines(folder)[:6]] == [
        (1, 8, 0), (2, 16, 0), (3, 24, 0), (4, 32, 0), (5, 40, 0), (6, 48, 1)]
    assert checkpoints(folder) == ["step-00000055", "step-00000060"]
    assert (folder / "checkpoints/latest").resolve() == last_checkpoint(folder).resolve()
    assert (folder / "logs/rank-0000.log").exists() and (folder / "logs/rank-0001.log").exists()
    assert "revision" in json.dumps(json.loads((folder / "environment.json").read_text()))
    assert run("effuse-train", "--config", folder / "config.toml", "--check").returncode == 0
    previews = sorted(path.name for path in (folder / "previews").iterdir())
    assert previews == ["step-00000000.png", "step-00000060.png"]
    with Image.open(folder / "previews/step-00000060.png") as grid:
        assert grid.width > 3 * 8
    state = json.loads((last_checkpoint(folder) / "state.json").read_text())
    assert state["step"] == STEPS


def test_model_and_optimizer_have_the_same_names(straight):
    folder = last_checkpoint(straight[1])
    model, ema = (load_file(folder / f"{kind}.safetensors") for kind in ("model", "ema"))
    assert "down_blocks.0.resnets.0.conv1.weight" in model and model.keys() == ema.keys()
    assert all(tensor.dtype == np.float32 for tensor in model.values())
    assert any((model[name] != ema[name]).any() for name in model)
    moments = load_file(folder / "optimizer.safetensors")
    assert moments.keys() == {f"{moment}.{name}" for moment in ("exp_avg", "exp_avg_sq")
                              for name in model}


@pytest.mark.parametrize("name, moments", [("adam", {"exp_avg", "exp_avg_sq"}),
                                           ("sgd", {"momentum_buffer"})])
def test_other_optimisers_continue_bit_for_bit(workplace, name, moments):
    keys = {"optimizer.name": name, "ema.copy_steps": 7}
    whole = train(workplace, f"{name}-whole", 2, **keys, **{"run.steps": 10})
    train(workplace, f"{name}-parts", 2, **keys, **{"run.steps": 5})
    parts = train(workplace, f"{name}-parts", 2, **keys, **{"run.steps": 10})
    assert_same_run(parts, whole)
    folder = last_checkpoint(parts)
    model = load_file(folder / "model.safetensors")
    assert load_file(folder / "optimizer.safetensors").keys() == {
        f"{moment}.{weight}" for moment in moments for weight in model}


def test_a_finished_run_is_left_alone_and_more_steps_go_on(workplace):
    folder = train(workplace, "longer", 0)
    before = (last_checkpoint(folder) / "manifest.json").stat().st_mtime_ns
    again = run("effuse-train", *arguments(workplace, "longer"))
    assert again.returncode == 0 and "finished already" in again.stderr
    assert (last_checkpoint(folder) / "manifest.json").stat().st_mtime_ns == before
    train(workplace, "longer", 0, **{"run.steps": 25})
    assert [line[0] for line in log_lines(folder)] == list(range(1, 26))

    back = run("effuse-train", *arguments(workplace, "longer", **{"run.steps": 22}),
               "--resume-from", 20)
    assert back.returncode == 0 and "continuing after step 20" in back.stderr, back.stderr
    assert [line[0] for line in log_lines(folder)] == list(range(1, 23))


def test_going_on_with_another_build_is_warned_of(workplace):
    folder = train(workplace, "rebuilt", 0)
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"revision": "abc1234"}))
    again = run("effuse-train", *arguments(workplace, "rebuilt", **{"run.steps": 25}))
    assert again.returncode == 0, again.stderr
    assert f"of another build (abc1234, libtorch {environment['libtorch']}; this one" in again.stderr, again.stderr


def stop_after(workplace, words, checkpoint):
    """Runs until that checkpoint of the run is there, then stops it."""
    folder = workplace / "runs" / words[words.index("--name") + 1]
    job = start("effuse-train", *words, ranks=1)
    wait_until((folder / "checkpoints" / checkpoint / "manifest.json").exists, job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages
    return messages


@pytest.mark.parametrize("way", [["--resume-from", "5"], ["--fresh"]], ids=["resume-from", "fresh"])
def test_a_command_that_goes_back_is_repeated_to_continue(workplace, way):
    name = "back" + way[0]
    keep = {"checkpoint.keep_last": 1000}
    folder = train(workplace, name, 1, **{"run.steps": 10}, **keep)
    words = [*arguments(workplace, name, **{"run.steps": 1000}, **keep), *way]
    first = stop_after(workplace, words, "step-00000020")
    assert ("going back to step 5" if way[0] == "--resume-from" else "is now") in first, first
    stopped_at = outcome(folder)["step"]
    assert outcome(folder)["start"] == " ".join(way).removeprefix("--")

    second = stop_after(workplace, words, f"step-{stopped_at + 10 - stopped_at % 5:08d}")
    assert f"continuing after step {stopped_at}" in second, second
    assert [line[0] for line in log_lines(folder)] == list(range(1, outcome(folder)["step"] + 1))
    asides = 1 if way[0] == "--fresh" else 0
    assert len(list(folder.parent.glob(f"{name}.before-*"))) == asides

    changed = run("effuse-train", *arguments(workplace, name, **{"run.steps": 7, "optimizer.lr": 0.001}, **keep),
                  *way, "--allow-change", "optimizer.lr", ranks=1)
    assert changed.returncode == 0, changed.stderr
    assert outcome(folder)["step"] == 7, "another experiment goes back again"


def test_a_second_job_on_the_same_run_is_refused(workplace):
    words = arguments(workplace, "taken", **{"run.steps": 100000, "checkpoint.every_steps": 5})
    folder = workplace / "runs/taken"
    job = start("effuse-train", *words, ranks=1)
    wait_until((folder / "checkpoints/step-00000005/manifest.json").exists, job)
    for way in ([], ["--fresh"], ["--resume-from", "5"]):
        second = run("effuse-train", *words, *way, ranks=2)
        assert second.returncode == 2, second.stderr
        assert "runs/taken is in use by effuse-train on" in second.stderr, second.stderr
    assert outcome(folder)["outcome"] == "running"
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages
    assert [line[0] for line in log_lines(folder)] == list(range(1, outcome(folder)["step"] + 1))
    assert not list(folder.parent.glob(".taken.lock")) and not list(folder.parent.glob("taken.*"))


def test_fresh_moves_the_old_run_aside(workplace):
    folder = train(workplace, "fresh", 0, **{"run.steps": 2})
    marker = folder / "marker"
    marker.touch()
    again = run("effuse-train", *arguments(workplace, "fresh", **{"run.steps": 3}), "--fresh")
    assert again.returncode == 0, again.stderr
    assert not marker.exists() and len(log_lines(folder)) == 3
    aside, = folder.parent.glob("fresh.before-*")
    assert (aside / "marker").exists()


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_rank_ends_the_job_and_the_same_command_continues(workplace, straight, victim):
    name = f"rank-{victim}-killed"
    words = arguments(workplace, name, **{"run.steps": STEPS})
    folder = workplace / "runs" / name
    job = start("effuse-train", *words, ranks=2)
    wait_until((folder / "checkpoints/step-00000010/manifest.json").exists, job)
    ranks = descendants(job.pid)
    assert len(ranks) == 2
    os.kill(ranks[victim], signal.SIGKILL)
    messages, _ = job.communicate()
    assert job.returncode != 0, messages
    again = run("effuse-train", *words, ranks=2)
    assert again.returncode == 0 and "continuing after step" in again.stderr, again.stderr
    assert_same_run(folder, straight[2])
    assert not list((folder / "checkpoints").glob(".*"))
