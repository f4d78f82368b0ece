"""Where a run's time went, from outside: goodput.json over kills, the series that tell of it, slow ranks."""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.request

import pytest

from programs import kill_all, last_checkpoint, make_config, make_dataset, overrides, run, start, wait_until

NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("goodput")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


def arguments(workplace, name, **settings):
    return ["--config", workplace / "tiny.toml", "--name", name, *overrides(settings)]


def account(folder):
    """goodput.json, {} before there is one. Every second of the total is in it once."""
    file = folder / "goodput.json"
    if not file.exists():
        return {}
    found = json.loads(file.read_text())
    lost = sum(found["lost_s"].values())
    assert found["productive_s"] + lost == pytest.approx(found["total_s"], abs=1e-3), found
    assert found["productive_s"] == pytest.approx(sum(kept["productive_s"] for kept in found["kept"]))
    assert all(seconds >= 0 for seconds in found["lost_s"].values()), found
    return found


def steps_in(found):
    return found["kept"][-1]["up_to"] if found else 0


def test_a_killed_run_counts_what_it_has_to_redo(workplace):
    folder = workplace / "runs/killed"
    endless = {"run.steps": 100000, "checkpoint.every_steps": 50}
    job = start("effuse-train", *arguments(workplace, "killed", **endless), ranks=2)
    # Soon enough after a checkpoint to die before the next one.
    wait_until(lambda: steps_in(account(folder)) > 50 and 0 < steps_in(account(folder)) % 50 < 35, job)
    kill_all(job)
    job.communicate()
    last, resumed = account(folder), int(last_checkpoint(folder).name.removeprefix("step-"))
    assert last["attempts"] == 1 and not last["finished"] and last["lost_s"]["down"] == 0

    steps = resumed + 60
    again = run("effuse-train", *arguments(workplace, "killed", **{**endless, "run.steps": steps}), ranks=2)
    assert again.returncode == 0, again.stderr
    found = account(folder)
    assert found["attempts"] == 2 and found["finished"]
    assert found["redone_steps"] == steps_in(last) - resumed > 0 and found["lost_s"]["redone"] > 0
    assert found["lost_s"]["down"] > 0 and found["lost_s"]["startup"] > last["lost_s"]["startup"]
    assert found["lost_s"]["checkpoint"] > 0 and found["lost_s"]["preview"] > 0
    assert found["lost_s"]["communication"] > 0 and found["lost_s"]["bad_steps"] == 0
    assert [(kept["after"], kept["up_to"]) for kept in found["kept"]] == [(0, resumed), (resumed, steps)]
    assert found["total_s"] == found["elapsed_s"] and found["goodput"] == pytest.approx(
        found["productive_s"] / found["total_s"])
    assert re.search(r"step        \d[\d.]* ms: data \d+ %, forward \d+ %, backward \d+ %, "
                     r"exposed communication \d+ % \(\d+ % hidden\), update \d+ %, other \d+ %", again.stderr)
    assert re.search(r"goodput     \d+\.\d % of \d.*; lost: .*start-up \d+\.\d %", again.stderr)


def test_a_stop_redoes_nothing_and_a_longer_run_leaves_out_the_time_between(workplace):
    folder = workplace / "runs/stopped"
    words = arguments(workplace, "stopped", **{"run.steps": 100000})
    job = start("effuse-train", *words, ranks=1)
    wait_until(lambda: steps_in(account(folder)) >= 5, job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75 and "goodput     " in messages, messages
    stopped = account(folder)
    more = arguments(workplace, "stopped", **{"run.steps": steps_in(stopped) + 5})
    assert run("effuse-train", *more).returncode == 0
    continued = account(folder)
    assert continued["redone_steps"] == 0 and continued["lost_s"]["redone"] == 0
    assert continued["lost_s"]["down"] > 0 and continued["apart_s"] == 0

    longer = arguments(workplace, "stopped", **{"run.steps": steps_in(stopped) + 10})
    assert run("effuse-train", *longer).returncode == 0
    found = account(folder)
    assert found["attempts"] == 3 and found["lost_s"]["down"] == continued["lost_s"]["down"]
    assert found["apart_s"] > 0 and found["total_s"] == pytest.approx(found["elapsed_s"] - found["apart_s"])


def test_bad_steps_and_going_back_are_lost(workplace):
    """With this rate no number is finite after a few steps, at half of it neither."""
    result = run("effuse-train", *arguments(workplace, "diverges", **{
        "run.steps": 60, "checkpoint.every_steps": 2, "recovery.skip_limit": 2, "recovery.max_restores": 1,
        "optimizer.name": "sgd", "optimizer.lr": 10, "optimizer.grad_clip": 0}))
    before, after = result.stderr.split("back to the checkpoint of step ")
    skipped = [int(step) for step in re.findall(r"step (\d+) was skipped", before)]
    resumed = int(re.match(r"\d+", after).group())
    assert result.returncode == 1 and len(skipped) >= 3, result.stderr
    found = account(workplace / "runs/diverges")
    assert found["redone_steps"] == skipped[-1] - resumed
    assert found["bad_steps"] == result.stderr.count("was skipped") and found["lost_s"]["bad_steps"] > 0
    assert found["attempts"] == 1 and not found["finished"]


def scrape(folder):
    group, = json.loads((folder / "metrics/targets/rank-0000.json").read_text())
    with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics", timeout=30) as answer:
        return answer.read().decode()


def samples(text):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


@pytest.fixture(scope="module")
def scraped(workplace):
    """What three ranks, of which the last is slow, say of themselves, once they were evaluated and saved: (messages, metrics)."""
    folder = workplace / "runs/slow"
    job = start("effuse-train", *arguments(workplace, "slow", **{
        "run.steps": 100000, "metrics.exporter": "true", "metrics.address": "127.0.0.1", "metrics.peak_tflops": 0.001,
        "checkpoint.every_steps": 10, "evaluation.every_steps": 10, "evaluation.network": NETWORK,
        "evaluation.number": 4, "evaluation.tile": 4, "sampling.tile": 4, "sampling.steps": 2,
        "parallel.straggler_every_steps": 5, "parallel.straggler_ratio": 0.5,
        "drill.fault": "slow", "drill.rank": 2, "drill.seconds": 0.2}), ranks=3)
    wait_until((folder / "metrics/targets/rank-0000.json").exists, job)
    metrics = wait_until(lambda: next(
        (text for text in [scrape(folder)]
         if samples(text).get('effuse_train_rank_speed_ratio{of_rank="2"}', 1.0) < 0.5
         and "effuse_evaluation_score" in text and "effuse_checkpoint_step" in text), None), job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages
    return messages, metrics


def test_a_slow_rank_is_named_once(scraped):
    messages, _ = scraped
    named = re.findall(r"rank (\d+) on \S+ is slow: (.*) takes \d+ ms a step, .* the median", messages)
    assert [rank for rank, _ in named].count("2") == 1, messages


def test_the_slowest_rank_is_exported(scraped):
    found = samples(scraped[1])
    assert found["effuse_train_slowest_rank"] == 2
    assert found['effuse_train_rank_speed_ratio{of_rank="0"}'] > found['effuse_train_rank_speed_ratio{of_rank="2"}']


def test_the_account_of_time_is_exported(scraped, workplace):
    found = samples(scraped[1])
    assert 0 < found["effuse_train_goodput_ratio"] < 1
    reasons = {name.split('"')[1] for name in found if name.startswith("effuse_train_lost_seconds")}
    assert reasons == set(account(workplace / "runs/slow")["lost_s"])
    assert found['effuse_train_lost_seconds{reason="communication"}'] > 0
    assert 0 <= found["effuse_train_communication_hidden_ratio"] <= 1
    assert found['effuse_train_skipped_steps_total{reason="bad"}'] == 0
    assert found["effuse_train_restores_total"] == 0 and found["effuse_train_loss_scale"] == 1
    for part in ("data_wait", "forward", "backward", "exposed_communication", "hidden_communication", "update"):
        assert found[f'effuse_train_step_part_seconds_count{{part="{part}"}}'] > 0


def test_every_series_is_documented(scraped):
    page = (pathlib.Path(os.environ["EFFUSE_SOURCE"]) / "docs/metrics.md").read_text()
    documented = {name for name in re.findall(r"^\| `(effuse_\w+)", page, re.M) if not name.startswith("effuse_sample_")}
    exported = set(re.findall(r"^# TYPE (effuse_\w+)", scraped[1], re.M))
    of_gpus = {"effuse_memory_device_allocated_bytes", "effuse_memory_device_reserved_bytes"}
    of_the_end = {"effuse_train_end_timestamp_seconds", "effuse_train_exit_code"}
    assert exported == documented - of_gpus - of_the_end


def test_names_follow_prometheus_conventions(scraped):
    done = subprocess.run(["promtool", "check", "metrics"], input=scraped[1], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
