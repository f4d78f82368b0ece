"""Rules and their cases under promtool; each alert has a case that fires and one that is silent; every series exists."""

import os
import pathlib
import re
import subprocess

import pytest
import yaml

from expressions import MONITORING, RULES, every_expression, series_in

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
PROMETHEUS = MONITORING / "prometheus"
CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))
ASKED = re.compile(r'ALERTS\{alertname="(\w+)"(?:, alertstate="firing")?\}')
OF_PROMETHEUS = {"up", "ALERTS"}


def promtool(*words):
    done = subprocess.run(["promtool", *map(str, words)], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def rules():
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def cases():
    """(alert, whether it fires, the case's file) of every question of alerts."""
    return [(ASKED.fullmatch(asked["expr"])[1], bool(asked["exp_samples"]), path)
            for path in CASES for test in yaml.safe_load(path.read_text())["tests"]
            for asked in test["promql_expr_test"] if ASKED.fullmatch(asked["expr"])]


def test_the_configuration_is_valid():
    code, said = promtool("check", "config", "prometheus.yml")
    assert code == 0, said


def test_the_rules_are_valid():
    code, said = promtool("check", "rules", *RULES)
    assert code == 0, said


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cases(path):
    code, said = promtool("test", "rules", path)
    assert code == 0, said


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_each_alert_has_a_case_that_fires_and_one_that_is_silent(alert):
    assert {fires for name, fires, _ in cases() if name == alert} == {True, False}


def test_cases_are_of_alerts_that_exist():
    assert {name for name, _, _ in cases()} <= set(ALERTS)


def cases_that_fire(path):
    """The file's content, for rules beside it, with these alone."""
    content = yaml.safe_load(path.read_text().replace("../", ""))
    for test in content["tests"]:
        test["promql_expr_test"] = [one for one in test["promql_expr_test"] if ASKED.fullmatch(one["expr"]) and one["exp_samples"]]
    content["tests"] = [test for test in content["tests"] if test["promql_expr_test"]]
    return content


def copy_of_rules(folder, alerts):
    (folder / "recording.rules.yml").write_text((PROMETHEUS / "recording.rules.yml").read_text())
    (folder / "alerts.rules.yml").write_text(alerts)


@pytest.fixture(scope="module")
def said_without_alerts(tmp_path_factory):
    """By promtool of all cases that fire, where no rule is there to fire."""
    folder = tmp_path_factory.mktemp("without")
    groups = yaml.safe_load((PROMETHEUS / "alerts.rules.yml").read_text())["groups"]
    copy_of_rules(folder, yaml.safe_dump({"groups": [{"name": group["name"], "rules": []} for group in groups]}))
    said = ""
    for path in CASES:
        (folder / path.name).write_text(yaml.safe_dump(cases_that_fire(path)))
        said += promtool("test", "rules", folder / path.name)[1]
    return said


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_a_case_that_fires_fails_without_its_alert(alert, said_without_alerts):
    """So that no case passes for want of being asked."""
    assert f'alertname=\\"{alert}\\"' in said_without_alerts


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each alert says where its cases let it fire: {alert: text}. promtool prints it where one is said not to fire."""
    folder = tmp_path_factory.mktemp("texts")
    copy_of_rules(folder, (PROMETHEUS / "alerts.rules.yml").read_text())
    texts = {}
    for path in CASES:
        content = cases_that_fire(path)
        for test in content["tests"]:
            asked = [(ASKED.fullmatch(one["expr"])[1], one["eval_time"]) for one in test.pop("promql_expr_test")]
            test["alert_rule_test"] = [{"alertname": name, "eval_time": at, "exp_alerts": []} for name, at in asked]
        (folder / path.name).write_text(yaml.safe_dump(content))
        _, said = promtool("test", "rules", folder / path.name)
        for name, text in re.findall(r"alertname: (\w+),.*?got:\[(.*?)\n\s*\]", said, re.S):
            texts[name] = text
    return texts


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_says_what_is_wrong_where_and_what_to_do(alert, told):
    rule, text = ALERTS[alert], told[alert]
    assert alert.startswith("Effuse") and rule["labels"]["severity"] in ("critical", "warning")
    assert len(rule["annotations"]["summary"]) < 120 and len(rule["annotations"]["description"]) > 150
    run = re.search(r'run="(\w+)"', text)[1]
    summary = re.search(r'summary="(.*?)"[,}]', text)[1]
    assert run in summary, text
    assert "error" not in summary and "<no value>" not in text and "{{" not in text and "%!" not in text, text


def test_every_alert_is_explained():
    page = (MONITORING / "README.md").read_text()
    assert set(re.findall(r"^\| `(Effuse\w+)`", page, re.M)) == set(ALERTS)


def test_every_series_is_documented():
    page = (SOURCE / "docs/metrics.md").read_text()
    documented = set(re.findall(r"`(effuse_[a-z_]+)", page))
    assert "effuse_train_loss" in documented
    used = {name: one.where for one in every_expression() for name in series_in(one.text)}
    unknown = {name: where for name, where in used.items() if name not in documented | RECORDED | OF_PROMETHEUS}
    assert not unknown, f"not in docs/metrics.md: {unknown}"


def test_every_recorded_series_is_used():
    used = {name for one in every_expression() for name in series_in(one.text)}
    assert RECORDED <= used
