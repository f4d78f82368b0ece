"""docs/metrics.md holds the tables that the catalogue of metrics gives.

    EFFUSE_BIN=build/release/bin .deps/python/bin/python tests/docs/metrics_test.py     # writes them anew
"""

import os
import pathlib
import re
import subprocess

PAGE = pathlib.Path(__file__).parents[2] / "docs/metrics.md"
TABLE = re.compile(r"(<!-- series: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def tables():
    """{group: table} of src/metrics/catalogue.cpp."""
    text = subprocess.run([pathlib.Path(os.environ["EFFUSE_BIN"]) / "list_series"], capture_output=True, text=True,
                          check=True).stdout
    groups = [part.split("\n", 1) for part in text.split("group ")[1:]]
    assert len({name for name, _ in groups}) == len(groups), "a group stands in two places"
    return dict(groups)


def with_tables(page):
    made = tables()
    assert sorted(made) == sorted(group for _, group, _ in TABLE.findall(page))
    return TABLE.sub(lambda match: match[1] + made[match[2]] + match[3], page)


def test_the_page_is_that_of_the_catalogue():
    assert with_tables(PAGE.read_text()) == PAGE.read_text(), "run this file as a program"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
