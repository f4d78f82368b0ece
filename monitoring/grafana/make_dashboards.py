#!/usr/bin/env python3
"""Writes the dashboards of dashboards/ from the tables of pages_*.py: run it after a change there. Needs Python alone.

  monitoring/grafana/make_dashboards.py           writes them
  monitoring/grafana/make_dashboards.py --check   says which are not what it would write; exit code 1 where some are
"""

import json
import pathlib
import sys

import pages_runs
import pages_work

FOLDER = pathlib.Path(__file__).parent / "dashboards"
LINE = 160


def dump(value, indent=0):
    """JSON that is short, and has a line for what one changes: whatever fits into a line has one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(line) + indent <= LINE:
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {dump(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(inner + dump(item, indent + 1) for item in value) + "\n" + " " * indent + "]"


def dashboards():
    """{file name: text}"""
    made = [page() for page in (pages_runs.overview, pages_runs.run, pages_runs.ranks, pages_work.data,
                                pages_work.reliability, pages_work.sampling)]
    return {one["uid"] + ".json": dump(one) + "\n" for one in made}


def main():
    wanted = dashboards()
    there = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    differing = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if "--check" in sys.argv[1:]:
        for name in differing:
            print(f"{FOLDER / name} is not what make_dashboards.py writes: run it", file=sys.stderr)
        return 1 if differing else 0
    for name in there.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
