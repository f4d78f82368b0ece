"""Runs to report of, and what effuse-report wrote of them."""

import html.parser
import json
import pathlib

from programs import overrides, run


def train(place, name, **settings):
    """The folder of a run of place/tiny.toml that came to its end."""
    done = run("effuse-train", "--config", place / "tiny.toml", "--name", name, *overrides(settings))
    assert done.returncode == 0, done.stderr
    return place / "runs" / name


def report(*arguments, **options):
    """The program's result, which has to be a success."""
    done = run("effuse-report", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done


def page_of(run_folder, output):
    report(run_folder, "--output", output)
    return Page(output)


class Page(html.parser.HTMLParser):
    """The elements with their attributes, and the texts of scripts and styles."""

    def __init__(self, path):
        super().__init__()
        self.text = pathlib.Path(path).read_text()
        self.elements, self.scripts, self.styles = [], {}, []
        self._open = None
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self._name = dict(attrs).get("id", f"script {len(self.scripts)}")

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open == "script":
            self.scripts[self._name] = self.scripts.get(self._name, "") + data
        elif self._open == "style":
            self.styles.append(data)

    @property
    def data(self):
        return json.loads(self.scripts["data"])

    @property
    def run(self):
        only, = self.data["runs"]
        return only
