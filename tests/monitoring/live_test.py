"""Every expression of monitoring/ against a real Prometheus, while a training of two ranks and a sampling job run, and after a run
that ended: each must have an answer, and a finite one."""

import json
import math
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from expressions import Expression, every_expression, label_query, selectors, substitute
from prometheus_server import Prometheus

TESTS = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "jobs"))

from programs import command, environment, kill_all, make_config, make_dataset, overrides, run  # noqa: E402

USER = pwd.getpwuid(os.geteuid()).pw_name
NETWORK = TESTS / "golden/feature_network.pt"

# What answers nothing in a healthy run on CPUs, and why. Alerts themselves are silent: of theirs, each selector is asked.
EMPTY = {
    "ALERTS": "no alert fires",
    "effuse_memory_device_allocated_bytes": "of GPUs",
    "effuse_memory_device_reserved_bytes": "of GPUs",
    'metric="is"': "asks for Inception's network, which takes minutes here",
}
TRAINING = {
    "run.steps": 1000000, "metrics.exporter": "true", "metrics.address": "127.0.0.1", "metrics.peak_tflops": 1,
    "checkpoint.every_steps": 20, "evaluation.every_steps": 20, "evaluation.network": NETWORK, "evaluation.number": 4,
    "evaluation.tile": 4, "evaluation.metrics": '["fid","kid","precision_recall","density_coverage"]',
    "evaluation.kid_subset_size": 4, "evaluation.kid_subsets": 2, "evaluation.neighbours": 1,
    "evaluation.density_neighbours": 1, "sampling.tile": 4, "sampling.steps": 2, "parallel.straggler_every_steps": 5,
    # The second rank waits a little in each step: the run leaves the machine time, and has a straggler.
    "drill.fault": "slow", "drill.rank": 1, "drill.seconds": 0.05}


class NodeExporter(BaseHTTPRequestHandler):
    """Serves the files of a folder, as node-exporter's textfile collector does."""

    def do_GET(self):
        text = "".join(path.read_text() for path in self.server.folder.glob("*.prom"))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folders of a site, with a run that has ended: its weights are there to sample from, its final values for node-exporters."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("targets", "textfiles", "nodes"):
        (folder / name).mkdir()
    make_dataset(folder / "packed")
    make_config(folder)
    done = run("effuse-train", "--config", folder / "tiny.toml", "--name", "ended", *overrides({
        "run.steps": 4, "metrics.exporter": "true", "metrics.address": "127.0.0.1", "metrics.textfiles": folder / "textfiles"}))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def node_exporter(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), NodeExporter)
    server.folder = site / "textfiles"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (site / "nodes/local.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{server.server_port}"]}]))
    yield server
    server.shutdown()
    server.server_close()


class Job:
    """Context: runs beside the test, its messages in a file; stops in order."""

    def __init__(self, log, program, *arguments, ranks):
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(command(program, *arguments, ranks=ranks), stdout=file, stderr=file, env=environment(),
                                            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGUSR1)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            kill_all(self.process)
            self.process.wait()

    def assert_alive(self):
        assert self.process.poll() is None, "the job ended early:\n" + self.log.read_text()[-4000:]


@pytest.fixture(scope="module")
def training(site):
    with Job(site / "train.log", "effuse-train", "--config", site / "tiny.toml", "--name", "live",
             *overrides({**TRAINING, "metrics.targets": site / "targets"}), ranks=2) as job:
        yield job


@pytest.fixture(scope="module")
def sampling(site):
    with Job(site / "sample.log", "effuse-sample", "--weights", site / "runs/ended", "--output", site / "images", "--number", 200000,
             "--device", "cpu", "--tile", 4, "--steps", 10,
             *overrides({"parallel.threads": 1, "metrics.exporter": "true", "metrics.address": "127.0.0.1",
                         "metrics.targets": site / "targets"}), ranks=1) as job:
        yield job


class Site(Prometheus):
    """Whose jobs are alive."""

    jobs = ()

    def wait_until(self, condition):
        def asked():
            for job in self.jobs:
                job.assert_alive()
            return condition()
        return super().wait_until(asked)


@pytest.fixture(scope="module")
def prometheus(site, node_exporter, training, sampling):
    """Once it has scraped both ranks and the sampling job, and the training was evaluated."""
    Site.jobs = (training, sampling)
    with Site(site / "prometheus", [site / "targets/*.json"], [site / "nodes/*.json"]) as server:
        for name, number in (("effuse-train", 2), ("effuse-sample", 1)):
            server.wait_until(lambda: len(server.query(f'up{{job="{name}"}} == 1')) == number)
        server.wait_until(lambda: server.query(f'effuse_evaluation_score{{run="{USER}/live"}}'))
        yield server


def values_of(expression):
    """What the dashboard's variables would be."""
    several = "effuse-sampling" in expression.where or "effuse-overview" in expression.where
    return {"job": ".+" if "effuse-sampling" in expression.where else "effuse-train", "run": ".+" if several else f"{USER}/live", "rank": ".+",
            "__rate_interval": "10s", "__interval": "1s", "__range": "30s"}


def complaints(server, expression):
    """What is wrong with the answers to an expression of a panel, variable, annotation or rule; nothing where all is well."""
    text = substitute(expression.text, values_of(expression))
    if expression.kind == "variable":
        return [] if server.label_values(*label_query(text)) else ["no values"]
    answer = server.query(text)
    if expression.kind == "alert":
        return [f"nothing for {one}" for one in selectors(text) if not server.query(one)]
    if not answer:
        return ["no answer"]
    return [f"{value} for {labels}" for labels, value in answer.items() if not math.isfinite(value)]


def may_be_empty(expression):
    return expression.kind == "panel" and " or " not in expression.text and any(name in expression.text for name in EMPTY)


EXPRESSIONS = every_expression()


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda one: one.where)
def test_it_has_an_answer(expression, prometheus):
    """At once, or once more was scraped."""
    if may_be_empty(expression):
        prometheus.query(substitute(expression.text, values_of(expression)))
        return
    last = []

    def is_well():
        last[:] = complaints(prometheus, expression)
        return not last

    try:
        prometheus.wait_until(is_well)
    except AssertionError as error:
        raise AssertionError(f"{expression.text}: {last}") from error


@pytest.mark.parametrize("text, complaint", [
    ("sum(rate(effuse_train_nothing_total[5m]))", "no answer"), ("0 * run:up:sum / 0", "nan for"), ("run:up:sum / 0", "inf for")])
def test_a_panel_without_an_answer_is_noticed(text, complaint, prometheus):
    """Prometheus calls these answers a success."""
    assert complaint in complaints(prometheus, Expression("here", "panel", text))[0]


def shown(server, where, part):
    """What a panel shows by its query that contains `part`; labels as JSON."""
    expression, = {one for one in EXPRESSIONS if one.where == where and part in one.text}
    return server.query(substitute(expression.text, values_of(expression)))


@pytest.mark.parametrize("where, part, expected", [
    ("effuse-ranks: Ranks", "effuse_train_ranks", 2), ("effuse-ranks: Ranks that answer", "up", 1), ("effuse-run: Attempt", "", 1),
    ("effuse-run: How far", "step_target", 1000000), ("effuse-run: How far", "epoch_target", 1000000 * 8 / 40),
    ("effuse-run: Skipped steps", "", 0), ("effuse-run: Went back", "", 0), ("effuse-run: Loss scale", "", 1),
    ("effuse-ranks: Slowest rank", "", 1), ("effuse-reliability: Failed saves", "", 0)])
def test_what_is_known_is_shown(where, part, expected, prometheus):
    assert list(shown(prometheus, where, part).values()) == [expected]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("where, part, field", [
    ("effuse-run: Loss", "loss:last", "loss"), ("effuse-run: Gradient norm", "", "grad_norm"), ("effuse-run: Learning rate", "", "lr"),
    ("effuse-run: Decay of the averaged weights", "", "ema_decay"), ("effuse-run: How far", "train_step{", "step"),
    ("effuse-run: How far", "images_seen", "images")])
def test_panels_agree_with_the_log(where, part, field, prometheus, site):
    """Of one of its steps: training goes on."""
    value, = shown(prometheus, where, part).values()
    assert any(value == pytest.approx(line[field], rel=1e-6) for line in lines(site / "runs/live/metrics/train.jsonl"))


@pytest.mark.parametrize("title, field", [("FID", "fid"), ("KID", "kid")])
def test_scores_are_those_of_an_evaluation(title, field, prometheus, site):
    value, = shown(prometheus, f"effuse-sampling: {title}", "").values()
    assert any(value == pytest.approx(line[field], rel=1e-6) for line in lines(site / "runs/live/metrics/evaluation.jsonl"))


def test_images_are_those_that_are_there(prometheus, site):
    images, = shown(prometheus, "effuse-sampling: Jobs", "(effuse_sample_images{job=~\"$job\", run=~\"$run\"})").values()
    assert 0 < images <= len(list((site / "images").glob("images/*/*.png")))


def test_the_disk_is_that_of_the_run(prometheus, site):
    size, = shown(prometheus, "effuse-reliability: Free disk", "size").values()
    assert size == shutil.disk_usage(site / "runs/live").total


def test_labels_are_those_of_the_target_files(prometheus):
    """And of no one else: two sources of one label would make exported_ ones."""
    for labels in map(json.loads, prometheus.query('{__name__=~"effuse_.+", job=~"effuse-train|effuse-sample"}')):
        assert labels["run"] in (f"{USER}/live", f"{USER}/images") and labels["user"] == USER and labels["rank"] in ("0", "1")
        assert not [name for name in labels if name.startswith("exported_")], labels


def test_final_values_are_told_apart(prometheus):
    ended = [json.loads(labels) for labels in prometheus.query("effuse_train_exit_code == 0")]
    assert [(one["job"], one["run"]) for one in ended] == [("effuse-final", f"{USER}/ended")]


def test_rules_are_healthy(prometheus):
    rules = [rule for group in prometheus.data("/api/v1/rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 20 and {rule["health"] for rule in rules} == {"ok"}, [rule.get("lastError") for rule in rules]


def test_what_may_be_empty_is_asked_somewhere():
    assert all(any(name in one.text for one in EXPRESSIONS if may_be_empty(one)) for name in EMPTY)
