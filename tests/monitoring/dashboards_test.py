"""The dashboards' JSON: as Grafana's provisioning takes it, whole, without overlap, and what make_dashboards.py writes."""

import itertools
import json
import re
import subprocess
import sys

import pytest
import yaml

from expressions import BUILT_IN, DASHBOARDS, MONITORING, of_dashboard, panels, variables_in

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def dashboard(path):
    return json.loads(path.read_text())


def loaded():
    return [json.loads(path.read_text()) for path in DASHBOARDS]


def test_there_are_six_and_each_has_an_identity_of_its_own():
    identities = [one["uid"] for one in loaded()]
    assert identities == [path.stem for path in DASHBOARDS] and len(set(identities)) == 6
    assert len({one["title"] for one in loaded()}) == 6


def test_they_are_what_the_generator_writes():
    done = subprocess.run([sys.executable, MONITORING / "grafana/make_dashboards.py", "--check"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_it_can_be_provisioned(path, dashboard):
    """Provisioning fills no inputs in, and an id would be that of another Grafana."""
    assert dashboard["id"] is None and dashboard["schemaVersion"] == 37 and "effuse" in dashboard["tags"]
    assert "__inputs" not in dashboard and "${DS_" not in path.read_text()


def test_panels_have_numbers_of_their_own(dashboard):
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_panels_do_not_overlap(dashboard):
    cells = {}
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert 0 <= at["x"] and at["x"] + at["w"] <= COLUMNS and at["w"] > 0 and at["h"] > 0, panel["title"]
        for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert cells.setdefault(cell, panel["title"]) == panel["title"]


def test_no_row_of_panels_has_a_gap(dashboard):
    """Grafana would close it, and move what is below."""
    filled = {(x, y) for panel in dashboard["panels"] for at in [panel["gridPos"]]
              for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
    above = {(x, y - 1) for x, y in filled if y > 0}
    assert above <= filled


def test_every_panel_says_what_it_shows(dashboard):
    for panel in panels(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"] and defaults["unit"], panel["title"]
        assert len(panel["description"]) > 10 and panel["description"].endswith("."), panel["title"]
        assert defaults["thresholds"]["steps"] if panel["type"] != "heatmap" else True, panel["title"]


def test_every_query_asks_the_chosen_datasource(dashboard):
    for panel in panels(dashboard):
        assert panel["datasource"] == DATASOURCE and panel["targets"], panel["title"]
        assert all(target["datasource"] == DATASOURCE and target["expr"] for target in panel["targets"]), panel["title"]
        names = [target["refId"] for target in panel["targets"]]
        assert len(set(names)) == len(names), panel["title"]
    for other in (*dashboard["annotations"]["list"], *dashboard["templating"]["list"]):
        assert other["type" if "type" in other else "name"] == "datasource" or other["datasource"] == DATASOURCE


def test_variables_are_defined_before_they_are_used(path, dashboard):
    defined = {one["name"] for one in dashboard["templating"]["list"]}
    assert {"datasource", "job", "run"} <= defined
    assert variables_in(path.read_text()) <= defined | BUILT_IN
    known = set()
    for one in dashboard["templating"]["list"]:
        if one["type"] == "query":
            assert variables_in(one["query"]["query"]) <= known, one["name"]
        known.add(one["name"])


def test_rates_go_with_the_zoom(path):
    """A range of a fixed length only where a longer past is meant."""
    for one in of_dashboard(path):
        for function, length in re.findall(r"\b(rate|increase|irate)\([^()]*\[([^\]]+)\]", one.text):
            assert length in ("$__rate_interval", "$__range"), f"{one.where}: {function} over {length}"


def test_restarts_are_marked(dashboard):
    marks = {one["name"]: one for one in dashboard["annotations"]["list"]}
    starts = marks["Starts"]
    assert starts["enable"] and starts["useValueForTime"] and "effuse_train_start_timestamp_seconds" in starts["expr"]


def test_links_lead_to_dashboards_that_exist(path, dashboard):
    there = {one.stem for one in DASHBOARDS}
    linked = set(re.findall(r"/d/([\w-]+)", path.read_text()))
    assert linked <= there
    tagged, = dashboard["links"]
    assert tagged["type"] == "dashboards" and tagged["tags"] == ["effuse"] and tagged["keepTime"] and tagged["includeVars"]


def test_provisioning_finds_them():
    """Also by the paths of compose.yml, and with the datasource that it starts."""
    source, = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/effuse.yml").read_text())["datasources"]
    provider, = yaml.safe_load((MONITORING / "grafana/provisioning/dashboards/effuse.yml").read_text())["providers"]
    services = yaml.safe_load((MONITORING / "compose.yml").read_text())["services"]
    assert source["type"] == "prometheus" and "prometheus" in services and provider["type"] == "file"
    mounts = {inside: MONITORING / outside for name in services for outside, inside, *_ in
              (mount.split(":") for mount in services[name]["volumes"]) if outside.startswith("./")}
    assert all(outside.exists() for outside in mounts.values()), mounts
    assert mounts[provider["options"]["path"]] == MONITORING / "grafana/dashboards"
