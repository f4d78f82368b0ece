"""effuse-report from outside: what the page holds, of runs in every state, and what is refused."""

import base64
import fcntl
import json
import re
import shutil

import pytest

from pages import Page, page_of, report, train
from programs import kill_all, make_images, overrides, run, start, wait_until
from runs import records

# Fields of train.jsonl that are drawn as they are.
SERIES = ("loss", "grad_norm", "lr", "images_per_s", "ema_decay", "loss_scale", "data_wait_s", "upload_s", "forward_s",
          "backward_s", "exposed_communication_s", "communication_s", "update_s")


def assert_curves_are_the_log(shown, folder):
    lines = list(records(folder).values())
    assert shown["curves"]["last_step"] == shown["curves"]["first_step"] == [line["step"] for line in lines]
    assert shown["curves"]["images"] == [line["images"] for line in lines]
    assert shown["curves"]["lines"] == len(lines) and shown["curves"]["lines_each"] == 1
    assert shown["curves"]["time_s"] == [line["time_s"] for line in lines]
    for tenth, column in enumerate(shown["curves"]["timestep_loss"]):
        assert column == [line["timestep_loss"][tenth] for line in lines]
    for name in SERIES:
        assert shown["curves"]["series"][name]["mean"] == [line[name] for line in lines], name


@pytest.fixture(scope="module")
def page(continued, tmp_path_factory):
    return page_of(continued, tmp_path_factory.mktemp("page") / "continued.html")


def test_curves_have_the_numbers_of_the_log(page, continued):
    assert_curves_are_the_log(page.run, continued)
    assert page.run["curves"]["series"]["loss"]["mean"].count(None) == 1  # of the bad step
    scores = [json.loads(line) for line in (continued / "metrics/evaluation.jsonl").read_text().splitlines()]
    assert [(e["step"], e["images"], e["scores"]["fid"]) for e in page.run["evaluations"]] == [
        (line["step"], line["images"], line["fid"]) for line in scores]


def test_it_tells_how_the_run_went(page, continued):
    shown = page.run
    goodput = json.loads((continued / "goodput.json").read_text())
    assert shown["name"] == "continued" and shown["outcome"]["outcome"] == "done"
    assert (shown["outcome"]["step"], shown["outcome"]["total_steps"]) == (20, 20)
    assert {key: shown["goodput"][key] for key in ("goodput", "total_s", "lost_s", "kept")} == {
        key: goodput[key] for key in ("goodput", "total_s", "lost_s", "kept")}
    assert shown["goodput"]["attempts"] == 2
    assert [(restart["after_step"], restart["by"]) for restart in shown["restarts"]] == [(10, "attempt")]
    assert shown["bad_steps"]["logged"] == [7] and shown["bad_steps"]["described"][0]["loss"] == "nan"
    assert shown["config"]["run.steps"] == "20" and shown["config"]["model.name"] == '"unet2d"'
    assert shown["config_text"] == (continued / "config.toml").read_text()
    assert shown["environment"]["world_size"] == 1
    assert shown["problems"] == []


def test_previews_and_checkpoints_are_those_of_the_folder(page, continued):
    files = sorted((continued / "previews").glob("step-*.png"))
    assert page.run["previews"]["found"] == len(files) == 7
    for shown, file in zip(page.run["previews"]["shown"], files, strict=True):
        kind, content = shown["picture"]["src"].split(",")
        assert kind == "data:image/png;base64" and base64.b64decode(content) == file.read_bytes()
    folders = sorted((continued / "checkpoints").glob("step-*"))
    assert [c["step"] for c in page.run["checkpoints"]] == [int(f.name.removeprefix("step-")) for f in folders]
    assert page.run["checkpoints"][-1]["is_latest"]
    for shown, folder in zip(page.run["checkpoints"], folders, strict=True):
        files = json.loads((folder / "manifest.json").read_text())["files"]
        assert shown["size_bytes"] == sum((folder / name).stat().st_size for name in files)


def test_nothing_refers_to_the_network(page):
    policy, = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "http" not in policy
    for tag, attributes in page.elements:
        assert tag not in ("iframe", "object", "embed", "base", "form"), tag
        for name, value in attributes.items():
            if name in ("src", "href", "srcset", "poster", "action", "data"):
                assert value.startswith(("data:", "#")), f"<{tag} {name}={value}>"
    assert not re.findall(r"url\(|@import", "".join(page.styles))
    ours = page.scripts[list(page.scripts)[-1]]
    assert "drawCurves" in ours and not re.findall(r"https?:|fetch\(|XMLHttpRequest|import\(", ours)


def test_a_run_in_progress(place, tmp_path):
    folder = place / "runs/endless"
    job = start("effuse-train", "--config", place / "tiny.toml", "--name", "endless", *overrides({"run.steps": 1000000}))
    try:
        log = folder / "metrics/train.jsonl"
        wait_until(lambda: log.exists() and log.read_text().count("\n") > 20, job)
        shown = [page_of(folder, tmp_path / "endless.html").run for _ in range(3)]
    finally:
        kill_all(job)
        job.communicate()
    with open(place / "runs/.endless.lock", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # once the rank that was killed is gone
    assert all(run["outcome"]["outcome"] == "running" and run["job"] == "alive" and run["problems"] == [] for run in shown)
    steps = [run["last"]["step"] for run in shown]
    assert 20 < steps[0] <= steps[1] <= steps[2] < 1000000
    assert shown[0]["outcome"]["total_steps"] == 1000000
    with open(log, "a", encoding="utf-8") as file:  # as a kill may leave it
        file.write('{"step":999999,"loss":0.')
    killed = page_of(folder, tmp_path / "killed.html").run
    assert steps[2] <= killed["last"]["step"] < 999999 and killed["problems"] == []
    assert killed["outcome"]["outcome"] == "running" and killed["job"] == "gone"
    shutil.copytree(folder, tmp_path / "copy")
    copy = page_of(tmp_path / "copy", tmp_path / "copy.html").run
    assert copy["job"] == "unknown" and copy["last_sign_unix_s"] == copy["last"]["time_s"]


def test_a_return_is_no_restart(returned, tmp_path):
    folder, stopped_after = returned
    shown = page_of(folder, tmp_path / "page.html").run
    assert [(r["after_step"], r["by"]) for r in shown["restarts"]] == [(4, "restore"), (stopped_after, "attempt")]
    assert shown["goodput"]["attempts"] == 2


def test_runs_are_compared(continued, plain, tmp_path):
    report(continued, plain, cwd=tmp_path)
    page = Page(tmp_path / "comparison.html")
    assert [run["name"] for run in page.data["runs"]] == ["continued", "plain"]
    for shown, folder in zip(page.data["runs"], (continued, plain), strict=True):
        assert_curves_are_the_log(shown, folder)
    one, other = (run["config"] for run in page.data["runs"])
    differing = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
    assert {"optimizer.lr", "run.batch_size", "preview.every_steps"} <= differing
    assert (one["optimizer.lr"], other["optimizer.lr"]) == ("0.002", "0.004")


def test_runs_of_one_name_are_told_apart(plain, tmp_path):
    shutil.copytree(plain, tmp_path / "elsewhere/plain")
    report(plain, tmp_path / "elsewhere/plain", "--output", tmp_path / "two.html")
    assert [run["name"] for run in Page(tmp_path / "two.html").data["runs"]] == ["runs/plain", "elsewhere/plain"]


def test_samples_are_shown_with_the_run_they_are_from(place, plain, continued, tmp_path):
    small = ["--device", "cpu", "--steps", 2, "--number", 4, "--tile", 4, "--set", "parallel.threads=1", "--set", "metrics.exporter=false"]
    for output in (tmp_path / "far", place / "runs/beside"):
        made = run("effuse-sample", "--weights", plain, "--output", output, *small)
        assert made.returncode == 0, made.stderr
    found = page_of(plain, tmp_path / "plain.html").run["samples"]
    assert [(s["number"], s["weights_step"], s["settings"]["steps"]) for s in found] == [(4, 20, "2")]
    assert found[0]["grid"]["src"].startswith("data:image/png;base64,")
    report(plain, "--samples", tmp_path / "far", "--output", tmp_path / "both.html")
    assert len(Page(tmp_path / "both.html").run["samples"]) == 2
    assert page_of(continued, tmp_path / "other.html").run["samples"] == []
    refused = run("effuse-report", continued, "--samples", tmp_path / "far")
    assert refused.returncode == 3 and "made with other weights (of step 20)" in refused.stderr, refused.stderr


def test_by_default_it_lies_in_the_run(place, tmp_path):
    folder = train(place, "short", **{"run.steps": 1, "preview.every_steps": 0})
    done = report(folder)
    assert str(folder / "report.html") in done.stderr
    assert Page(folder / "report.html").run["curves"]["lines"] == 1
    before = (folder / "report.html").stat().st_mtime_ns
    report(folder, "--check")
    assert (folder / "report.html").stat().st_mtime_ns == before
    report(folder, "--output", tmp_path / "new/folder/page.html")
    assert (tmp_path / "new/folder/page.html").exists()


def test_a_log_longer_than_a_page(plain, tmp_path):
    folder = tmp_path / "long"
    shutil.copytree(plain, folder)
    line = records(plain)[20]
    with open(folder / "metrics/train.jsonl", "w", encoding="utf-8") as file:
        for step in range(1, 5001):
            file.write(json.dumps({**line, "step": step, "loss": 9.5 if step == 1234 else 1 / step}) + "\n")
    loss = page_of(folder, tmp_path / "long.html").run["curves"]["series"]["loss"]
    assert 500 <= len(loss["mean"]) <= 1000
    assert max(loss["greatest"]) == 9.5 and min(loss["least"]) == 1 / 5000
    assert (tmp_path / "long.html").stat().st_size < 1 << 20


def without(folder, *names):
    for name in names:
        (folder / name).unlink()


@pytest.mark.parametrize("damage, code, words", [
    (lambda folder: without(folder, "config.toml", "environment.json", "outcome.json", "metrics/train.jsonl"), 3,
     ("is no run's folder", "Give the folder that effuse-train wrote")),
    (lambda folder: (folder / "config.toml").write_text("[run\n"), 3, ("config.toml:1:", "Copy the file again")),
    (lambda folder: (folder / "metrics/train.jsonl").write_bytes(b"\0" * 50 + b"\n" + b"\0" * 50 + b"\n"), 3,
     ("train.jsonl is damaged: none of its 2 lines", "Copy the run folder again")),
    (shutil.rmtree, 3, ("does not exist", "Give the folder of a run")),
], ids=["nothing of a run", "configuration", "log", "no folder"])
def test_a_damaged_folder_is_refused_with_what_to_do(plain, tmp_path, damage, code, words):
    folder = tmp_path / "damaged"
    shutil.copytree(plain, folder)
    damage(folder)
    refused = run("effuse-report", folder, "--output", tmp_path / "page.html")
    assert refused.returncode == code, refused.stderr
    assert all(word in refused.stderr for word in words), refused.stderr
    assert not (tmp_path / "page.html").exists()


def test_what_is_damaged_beside_is_named_in_the_page(plain, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(plain, folder)
    (folder / "goodput.json").write_text("{")
    lines = (folder / "metrics/train.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics/train.jsonl").write_text("".join(lines[:5]) + "damage\n" + "".join(lines[5:]))
    shown = page_of(folder, tmp_path / "page.html").run
    assert len(shown["problems"]) == 2 and shown["goodput"] is None
    assert shown["curves"]["lines"] == 20


def test_bad_usage(plain, tmp_path):
    make_images(tmp_path / "images")
    for arguments, code, words in (
            ([], 2, "effuse-report RUN"),
            ([plain, "--outptu", "x"], 2, "did you mean --output"),
            ([plain, plain], 3, "is given twice"),
            ([plain, "--samples", tmp_path / "images"], 3, "there is no samples.json"),
            ([plain, "--output", plain], 2, "is a folder. Give --output a file"),
            ([plain, "--output", plain / "config.toml/page.html"], 1, "config.toml")):
        refused = run("effuse-report", *arguments)
        assert refused.returncode == code and words in refused.stderr, (arguments, refused.stderr)


def test_a_report_is_announced_only_where_it_is(place):
    """By effuse-train, at the end: a folder is in its way in one of the runs, whose name has a blank."""
    (place / "runs/blocked run/report.html").mkdir(parents=True)
    messages = {}
    for name in ("blocked run", "free"):
        done = run("effuse-train", "--config", place / "tiny.toml", "--name", name, *overrides({"run.steps": 1, "preview.every_steps": 0}))
        assert done.returncode == 0, done.stderr
        messages[name] = done.stderr
    assert "warning: report.html is not of now: " in messages["blocked run"] and "report      " not in messages["blocked run"]
    assert messages["free"].splitlines()[-1] == f"report      {place / 'runs/free/report.html'}"
    assert f"effuse-sample --weights '{place / 'runs/blocked run'}' --output samples" in messages["blocked run"]
    assert f"effuse-sample --weights {place / 'runs/free'} --output samples" in messages["free"]
