"""Every expression of monitoring/: of panels, annotations, variables and rules, as a Prometheus takes it."""

import json
import os
import pathlib
import re
from dataclasses import dataclass

import yaml

MONITORING = pathlib.Path(os.environ["EFFUSE_SOURCE"]) / "monitoring"
DASHBOARDS = sorted((MONITORING / "grafana/dashboards").glob("*.json"))
RULES = sorted((MONITORING / "prometheus").glob("*.rules.yml"))

VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(?!\d)(\w+)")
LABEL_VALUES = re.compile(r"label_values\((.*), *(\w+)\)")
# A series, of ours or one of Prometheus' own, and what is asked of its labels. Recorded ones have colons.
SERIES = re.compile(r'(?<![\w:"])((?:run(?:_\w+)?:)?effuse_\w+(?::\w+)?|run:up:sum|up|ALERTS)(?![\w:(])\s*(\{[^}]*\})?')
BUILT_IN = {"__rate_interval", "__interval", "__range", "__url_time_range", "__data"}


@dataclass(frozen=True)
class Expression:
    where: str  # file, and panel or rule
    kind: str  # panel, annotation, variable, record, alert
    text: str


def panels(dashboard):
    """Without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def of_dashboard(path):
    dashboard = json.loads(path.read_text())
    found = [Expression(f"{path.stem}: {panel['title']}", "panel", target["expr"])
             for panel in panels(dashboard) for target in panel["targets"]]
    found += [Expression(f"{path.stem}: annotation {one['name']}", "annotation", one["expr"])
              for one in dashboard["annotations"]["list"]]
    return found + [Expression(f"{path.stem}: variable {one['name']}", "variable", one["query"]["query"])
                    for one in dashboard["templating"]["list"] if one["type"] == "query"]


def of_rules(path):
    rules = [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    return [Expression(f"{path.stem}: {rule.get('record') or rule['alert']}", "record" if "record" in rule else "alert",
                       rule["expr"]) for rule in rules]


def every_expression():
    return [one for path in DASHBOARDS for one in of_dashboard(path)] + [one for path in RULES for one in of_rules(path)]


def variables_in(text):
    return {braced or plain for braced, plain in VARIABLE.findall(text)}


def substitute(text, values):
    """`values` of the variables; a variable without one is an error."""
    return VARIABLE.sub(lambda match: values[match[1] or match[2]], text)


def label_query(text):
    """(selector, label) of label_values(selector, label)."""
    match = LABEL_VALUES.fullmatch(text)
    assert match, f"this variable's query is not understood here: {text}"
    return match[1], match[2]


def selectors(text):
    """Vector selectors, without ranges and offsets."""
    return [name + labels for name, labels in SERIES.findall(text)]


def series_in(text):
    """Names of series, without the suffixes of histograms' parts; also those that a selector matches by __name__."""
    named = {name for name, _ in SERIES.findall(text)}
    for quoted in re.findall(r'__name__=~?("[^"]*")', text):
        named |= set(quoted.strip('"').split("|"))
    return {re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", name) for name in named}
