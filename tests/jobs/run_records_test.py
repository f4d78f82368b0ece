"""What effuse-train tells of a run while it goes on and afterwards: metrics of every rank, final values, event files."""

import contextlib
import json
import math
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import urllib.request

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from programs import command, environment, kill_all, make_config, make_dataset, overrides, run, start, wait_until
from runs import records

USER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


def words(workplace, name, **settings):
    return ["--config", workplace / "tiny.toml", "--name", name, *overrides({
        "metrics.exporter": "true", "metrics.address": "127.0.0.1", "metrics.targets": workplace / "site/targets",
        "metrics.textfiles": workplace / "site/textfiles", **settings})]


def begin(workplace, name, ranks=2, **settings):
    """(run folder, an endless training that has told of its first steps)."""
    job = start("effuse-train", *words(workplace, name, **{"run.steps": 10**6, "checkpoint.every_steps": 10**6, **settings}),
                ranks=ranks)
    log = workplace / "runs" / name / "metrics/train.jsonl"
    wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") > 2, job)
    return workplace / "runs" / name, job


def stop(job):
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages
    return messages


def target(file):
    """(address, labels) that Prometheus reads there."""
    group, = json.loads(file.read_text())
    address, = group["targets"]
    return address, group["labels"]


def scrape(file):
    with urllib.request.urlopen(f"http://{target(file)[0]}/metrics", timeout=30) as answer:
        return answer.read().decode()


def names(text):
    return set(re.findall(r"^# TYPE (effuse_\w+)", text, re.M))


def values(text):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


@pytest.fixture(scope="module")
def stopped(workplace):
    """(run folder, what each of two ranks served, its messages) of a run that was stopped."""
    folder, job = begin(workplace, "both", **{"metrics.peak_tflops": 0.001})
    served = []
    for rank in (0, 1):
        own = folder / f"metrics/targets/rank-000{rank}.json"
        site, = (workplace / "site/targets").glob(f"effuse-train.{USER}.both.*.rank-000{rank}.json")
        address, labels = target(own)
        assert labels == {"job": "effuse-train", "user": USER, "run": "both", "rank": str(rank)}
        assert target(site) == (address, labels)
        served.append(scrape(own))
    return folder, served, stop(job)


def test_rank_0_tells_of_the_run_and_every_rank_of_itself(stopped):
    _, (first, second), _ = stopped
    assert names(second) <= names(first)
    assert {"effuse_train_step_part_seconds", "effuse_data_read_bytes_total", "effuse_memory_resident_bytes",
            "effuse_build_info"} <= names(second)
    assert not names(second) & {"effuse_train_loss", "effuse_train_step", "effuse_train_steps_total", "effuse_run_info"}
    found = values(first)
    assert found["effuse_train_ranks"] == found["effuse_train_exporters"] == 2
    assert found["effuse_train_attempts"] == 1
    assert found["effuse_train_time_left_seconds"] > 100
    assert found["effuse_train_epoch_target"] == 10**6 * 8 / 40
    assert 2**20 < found["effuse_memory_resident_bytes"] < 2**34
    assert 0 < found["effuse_disk_free_bytes"] <= found["effuse_disk_size_bytes"]
    # The batches of 8 images of 8x8x3 bytes, half of each for this rank; some more may have come in meanwhile.
    assert found["effuse_data_read_bytes_total"] % (4 * 8 * 8 * 3) == 0
    assert found["effuse_train_mfu_ratio"] == pytest.approx(found["effuse_train_model_flops_per_second"] / 2e9)
    buckets = [value for name, value in found.items() if name.startswith("effuse_train_timestep_loss{")]
    assert 5 <= len(buckets) <= 10 and all(0 < value < 10 for value in buckets)


def test_what_is_served_follows_prometheus_conventions(stopped):
    for text in stopped[1]:
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stdout + done.stderr


def test_targets_vanish_and_final_values_stay(stopped, workplace):
    folder, _, _ = stopped
    assert not list((folder / "metrics/targets").iterdir()) and not list((workplace / "site/targets").glob("*both*"))
    for rank in (0, 1):
        text = (folder / f"metrics/final/rank-000{rank}.prom").read_text()
        of_site, = (workplace / "site/textfiles").glob(f"effuse-train.{USER}.both.*.rank-000{rank}.prom")
        assert text == of_site.read_text()
        found = values(text)
        identity = f'job="effuse-train",rank="{rank}",run="both",user="{USER}"'
        assert found[f"effuse_train_exit_code{{{identity}}}"] == 75
        assert all(name.endswith(identity + "}") or "le=" in name for name in found), found
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def targets_of(workplace, folder):
    """Ranks of which there are target files in the run folder, and in the site's."""
    return [sorted(int(file.stem[-4:]) for file in found) for found in (
        (folder / "metrics/targets").glob("*.json"), (workplace / "site/targets").glob(f"effuse-train.{USER}.{folder.name}.*.json"))]


def test_a_killed_attempt_leaves_no_final_values_but_targets_until_the_next(stopped, workplace):
    folder, job = begin(workplace, "both")
    wait_until(lambda: not list((folder / "metrics/final").iterdir()), job)  # those of the attempt before
    wait_until(lambda: targets_of(workplace, folder) == [[0, 1], [0, 1]], job)
    kill_all(job)
    job.communicate()
    assert not list((folder / "metrics/final").iterdir())
    assert targets_of(workplace, folder) == [[0, 1], [0, 1]]
    _, job = begin(workplace, "both", **{"metrics.ranks": "first"})
    wait_until(lambda: targets_of(workplace, folder) == [[0], [0]], job)
    kill_all(job)
    job.communicate()
    _, job = begin(workplace, "both", **{"metrics.exporter": "false"})
    wait_until(lambda: targets_of(workplace, folder) == [[], []], job)
    stop(job)


def test_runs_of_one_name_do_not_take_each_others_targets(workplace):
    """In the folder of the site, where they lie in different folders of runs."""
    _, one = begin(workplace, "same")
    done = run("effuse-train", *words(workplace, "same", **{"run.steps": 3, "run.folder": workplace / "others"}))
    assert done.returncode == 0, done.stderr
    assert targets_of(workplace, workplace / "runs/same") == [[0, 1], [0, 1]]
    assert "another job called same is in Prometheus' folder" in done.stderr, done.stderr
    stop(one)


def test_nobody_takes_the_descriptors_that_training_needs(workplace):
    """More connections than a process may have files open, none of which asks for anything."""
    folder, job = begin(workplace, "crowded", ranks=1, **{"checkpoint.every_steps": 5})
    host, port = target(folder / "metrics/targets/rank-0000.json")[0].split(":")
    with contextlib.ExitStack() as crowd:
        for _ in range(300):
            crowd.enter_context(socket.create_connection((host, int(port))))
        pid, = [int(line) for line in subprocess.run(["pgrep", "-f", "effuse-train.*--name crowded"], capture_output=True,
                                                     text=True, check=True).stdout.split()
                if (pathlib.Path("/proc") / line / "comm").read_text() == "effuse-train\n"]
        assert len(list((pathlib.Path("/proc") / str(pid) / "fd").iterdir())) < 200
    stop(job)


def test_who_reads_the_messages_may_go(workplace):
    """As `| head` does."""
    job = subprocess.Popen(command("effuse-train", *words(workplace, "unread", **{"run.steps": 30}), ranks=0), stderr=subprocess.PIPE,
                           env=environment())
    assert job.stderr.readline()
    job.stderr.close()
    assert job.wait(100) == 0
    assert json.loads((workplace / "runs/unread/outcome.json").read_text())["outcome"] == "done"
    assert targets_of(workplace, workplace / "runs/unread") == [[], []]


def two_free_ports():
    """The first of two that follow each other."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


def test_ports_follow_each_other_on_a_node(workplace):
    port = two_free_ports()
    folder, job = begin(workplace, "ports", **{"metrics.port": port})
    found = [target(folder / f"metrics/targets/rank-000{rank}.json")[0] for rank in (0, 1)]
    stop(job)
    assert found == [f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"]


def test_ports_end_somewhere(workplace):
    """The first rank may find the last port taken, the second one never has any."""
    done = run("effuse-train", *words(workplace, "last-port", **{"run.steps": 2, "metrics.port": 65535}), ranks=2)
    assert done.returncode == 0 and "there is no port 65536, which metrics.port leaves for local rank 1" in done.stderr, done.stderr


@pytest.mark.parametrize("ranks", ["node", "first"])
def test_one_rank_may_serve_for_all(workplace, ranks):
    folder, job = begin(workplace, f"one-{ranks}", **{"metrics.ranks": ranks})
    files = [file.name for file in (folder / "metrics/targets").iterdir()]
    served = values(scrape(folder / "metrics/targets/rank-0000.json"))
    stop(job)
    assert files == ["rank-0000.json"]
    assert served["effuse_train_exporters"] == 1 and served["effuse_train_ranks"] == 2


def test_a_slurm_job_is_named(workplace, monkeypatch):
    monkeypatch.setattr("programs.VARIABLES", {"SLURM_JOB_ID": "77"})
    folder, job = begin(workplace, "slurm", ranks=1)
    labels = target(folder / "metrics/targets/rank-0000.json")[1]
    stop(job)
    assert labels["slurm_job"] == "77"


# --- Afterwards ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def continued(workplace):
    """The folder of a run of 12 steps that was killed by a drill in step 9, and went on after step 5."""
    settings = {"run.steps": 12, "checkpoint.every_steps": 5, "preview.every_steps": 4, "run.log_every_steps": 3,
                "metrics.exporter": "false"}
    killed = run("effuse-train", *words(workplace, "continued", **settings, **{"drill.fault": "kill", "drill.step": 9}))
    assert killed.returncode != 0
    done = run("effuse-train", *words(workplace, "continued", **settings))
    assert done.returncode == 0 and "continuing after step 5" in done.stderr, done.stderr
    return workplace / "runs/continued"


@pytest.fixture(scope="module")
def board(continued):
    found = EventAccumulator(str(continued / "metrics/tensorboard"), size_guidance={"histograms": 0, "images": 0})
    found.Reload()
    return found


def test_tensorboard_reads_the_numbers_of_the_log(board, continued):
    log = records(continued)
    assert len(list((continued / "metrics/tensorboard").iterdir())) == 2
    for tag, field in (("train/loss", "loss"), ("train/grad_norm", "grad_norm"), ("train/learning_rate", "lr"),
                       ("train/ema_decay", "ema_decay")):
        assert [(event.step, event.value) for event in board.Scalars(tag)] == [
            (step, pytest.approx(line[field], rel=1e-6)) for step, line in log.items() if step % 3 == 0]
    for event in board.Scalars("train/loss"):
        assert event.wall_time == pytest.approx(log[event.step]["time_s"], abs=5)


def test_tensorboard_shows_previews_and_the_spread_of_gradient_norms(board, continued):
    pictures = {image.step: image.encoded_image_string for image in board.Images("previews")}
    assert pictures == {step: (continued / f"previews/step-{step:08d}.png").read_bytes() for step in (0, 4, 8, 12)}
    spreads = {event.step: event.histogram_value for event in board.Histograms("train/grad_norms")}
    assert sorted(spreads) == [3, 6, 9, 12]
    last = spreads[12]
    assert last.num == sum(last.bucket) == 3 and last.min <= records(continued)[12]["grad_norm"] <= last.max


def test_the_log_tells_the_loss_by_time_step(continued):
    for line in records(continued).values():
        means = line["timestep_loss"]
        assert len(means) == 10 and any(mean is not None for mean in means)
        assert all(mean is None or math.isfinite(mean) for mean in means)
        assert line["images_per_s"] > 0 and line["upload_s"] == 0


def test_a_rate_is_that_of_the_steps(continued):
    """Also at steps with checkpoint or preview, of which the host learns together with the one before."""
    rates = {step: line["images_per_s"] for step, line in records(continued).items()}
    assert max(rates.values()) < 20 * min(rates.values()), rates


def test_event_files_are_not_worth_a_training(workplace):
    folder = workplace / "runs/blocked"
    (folder / "metrics").mkdir(parents=True)
    (folder / "metrics/tensorboard").write_text("a file")
    done = run("effuse-train", *words(workplace, "blocked", **{"run.steps": 2}))
    assert done.returncode == 0 and "TensorBoard will not see this attempt" in done.stderr, done.stderr


def test_event_files_can_be_left_out(workplace):
    done = run("effuse-train", *words(workplace, "plain", **{"run.steps": 2, "metrics.tensorboard": "false"}))
    assert done.returncode == 0, done.stderr
    assert not (workplace / "runs/plain/metrics/tensorboard").exists()
