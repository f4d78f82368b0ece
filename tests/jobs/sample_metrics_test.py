"""What effuse-sample says of its progress, on stderr and to Prometheus."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from programs import make_config, make_dataset, run, start, wait_until

SMALL = ("--device", "cpu", "--tile", 2, "--steps", 4, "--set", "parallel.threads=1", "--set",
         "metrics.address=127.0.0.1")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    make_dataset(folder / "packed")
    trained = run("effuse-train", "--config", make_config(folder), "--set", "run.steps=1")
    assert trained.returncode == 0, trained.stderr
    return folder / "runs/tiny"


def scrape(target):
    group, = json.loads(target.read_text())
    assert group["labels"] == {"run": "out", "rank": "0", "part": "1/2"}
    with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics", timeout=30) as answer:
        return answer.read().decode()


def values(text):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


@pytest.fixture(scope="module")
def scraped(model, tmp_path_factory):
    """The series of a job of three ranks, once some images are made."""
    folder = tmp_path_factory.mktemp("run") / "out"
    job = start("effuse-sample", "--weights", model, "--output", f"{folder}/", "--number", 200000, "--part", "1/2", *SMALL,
                ranks=3)
    target = folder / "metrics/targets/part-1-of-2.json"
    wait_until(target.exists, job)
    text = wait_until(lambda: next((text for text in [scrape(target)]
                                    if values(text).get("effuse_sample_images_total", 0) > 0), None), job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate(timeout=100)
    assert job.returncode == 75, messages
    assert not (folder / "metrics").exists()
    return folder, messages, text


def test_counts_are_those_of_all_ranks(scraped):
    folder, messages, text = scraped
    found = values(text)
    assert found["effuse_sample_images_target"] == 100000
    assert found["effuse_sample_images"] == found["effuse_sample_images_total"] == 2 * found["effuse_sample_tiles_total"]
    assert found["effuse_sample_images_per_second"] > 0
    said = re.search(r"sample  ([\d,]+)/100,000 images .* images/s \| .* left", messages)
    assert int(said[1].replace(",", "")) == len(list(folder.glob("images/*/*.png")))


def test_a_continued_job_begins_at_what_is_there(model, tmp_path):
    words = ("effuse-sample", "--weights", model, "--output", tmp_path / "out", *SMALL)
    assert run(*words, "--number", 6).returncode == 0
    again = run(*words, "--number", 8, ranks=2)
    assert again.returncode == 0 and "sample  8/8 images  100%" in again.stderr


def test_every_series_is_documented(scraped):
    page = (pathlib.Path(os.environ["EFFUSE_SOURCE"]) / "docs/metrics.md").read_text()
    documented = {name for name in re.findall(r"`(effuse_\w+)", page) if name.startswith("effuse_sample_")}
    assert set(re.findall(r"^# TYPE (effuse_\w+)", scraped[2], re.M)) == documented


def test_names_follow_prometheus_conventions(scraped):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(["promtool", "check", "metrics"], input=scraped[2], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
