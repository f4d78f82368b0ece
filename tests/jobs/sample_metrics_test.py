"""What effuse-sample says of its progress, on stderr and to Prometheus."""

import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import urllib.request

import pytest

from programs import make_config, make_dataset, run, start, wait_until

NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"
SMALL = ("--device", "cpu", "--tile", 2, "--steps", 4, "--set", "parallel.threads=1", "--set",
         "metrics.address=127.0.0.1")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    make_dataset(folder / "packed")
    trained = run("effuse-train", "--config", make_config(folder), "--set", "run.steps=1")
    assert trained.returncode == 0, trained.stderr
    return folder / "runs/tiny"


def scrape(target, part):
    group, = json.loads(target.read_text())
    assert group["labels"] == {"job": "effuse-sample", "user": pwd.getpwuid(os.geteuid()).pw_name, "run": "out", "rank": "0", "part": part}
    with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics", timeout=30) as answer:
        return answer.read().decode()


def values(text):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


def scrape_and_stop(folder, part, *words):
    """What a job of three ranks says and serves once some images are made; then it is stopped."""
    job = start("effuse-sample", "--output", f"{folder}/", *words, *SMALL, ranks=3)
    target = folder / f"metrics/targets/part-{part.replace('/', '-of-')}.json"
    wait_until(target.exists, job)
    text = wait_until(lambda: next((text for text in [scrape(target, part)]
                                    if values(text).get("effuse_sample_images_total", 0) > 0), None), job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate(timeout=100)
    assert job.returncode == 75, messages
    assert not (folder / "metrics").exists()
    return messages, text


@pytest.fixture(scope="module")
def scraped(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "out"
    return folder, *scrape_and_stop(folder, "1/2", "--weights", model, "--number", 200000, "--part", "1/2")


def test_counts_are_those_of_all_ranks(scraped):
    folder, messages, text = scraped
    found = values(text)
    assert found["effuse_sample_images_target"] == 100000
    assert found["effuse_sample_images"] == found["effuse_sample_images_total"] == 2 * found["effuse_sample_tiles_total"]
    assert found["effuse_sample_images_per_second"] > 0 and found["effuse_sample_time_left_seconds"] > 0
    said = re.search(r"sample  ([\d,]+)/100,000 images .* images/s \| .* left", messages)
    assert int(said[1].replace(",", "")) == len(list(folder.glob("images/*/*.png")))


def test_images_that_are_scored_as_they_come_are_counted_too(model, tmp_path):
    messages, text = scrape_and_stop(tmp_path / "out", "1/1", "--weights", model, "--number", 200000, "--evaluate",
                                     model.parents[1] / "packed", "--set", f"evaluation.network={NETWORK}")
    found = values(text)
    assert found["effuse_sample_images_target"] == 200000
    assert found["effuse_sample_images"] == found["effuse_sample_images_total"] == 2 * found["effuse_sample_tiles_total"]
    assert found["effuse_sample_images_per_second"] > 0
    assert re.search(r"sample  [\d,]+/200,000 images .* images/s \| .* left", messages)


def test_a_tile_that_is_left_is_not_counted(model, tmp_path):
    job = start("effuse-sample", "--output", tmp_path / "out", "--weights", model, *SMALL, "--number", 8192, "--tile", 8192, "--steps", 20,
                "--evaluate", model.parents[1] / "packed", "--set", f"evaluation.network={NETWORK}", ranks=0)
    target = tmp_path / "out/metrics/targets/part-1-of-1.json"
    wait_until(target.exists, job)
    wait_until(lambda: values(scrape(target, "1/1")).get("effuse_sample_images_target") == 8192, job)
    job.send_signal(signal.SIGTERM)
    messages, _ = job.communicate(timeout=100)
    assert job.returncode == 75 and "0/8,192 images" in messages and "8,192/8,192" not in messages, messages


def test_a_continued_job_begins_at_what_is_there(model, tmp_path):
    words = ("effuse-sample", "--weights", model, "--output", tmp_path / "out", *SMALL)
    assert run(*words, "--number", 6).returncode == 0
    again = run(*words, "--number", 8, ranks=2)
    assert again.returncode == 0 and "sample  8/8 images  100%" in again.stderr


def test_nothing_is_served_unasked(model, tmp_path):
    done = run("effuse-sample", "--weights", model, "--output", tmp_path / "out", *SMALL, "--number", 2, "--set",
               "metrics.exporter=false")
    assert done.returncode == 0 and "http://" not in done.stderr, done.stderr
    assert not (tmp_path / "out/metrics").exists()


def test_every_series_is_documented(scraped):
    page = (pathlib.Path(os.environ["EFFUSE_SOURCE"]) / "docs/metrics.md").read_text()
    documented = {name for name in re.findall(r"^\| `(effuse_\w+)", page, re.M) if name.startswith("effuse_sample_")}
    of_the_process = {"effuse_build_info", "effuse_memory_resident_bytes"}
    assert set(re.findall(r"^# TYPE (effuse_\w+)", scraped[2], re.M)) == documented | of_the_process


def test_names_follow_prometheus_conventions(scraped):
    done = subprocess.run(["promtool", "check", "metrics"], input=scraped[2], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
