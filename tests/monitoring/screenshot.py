#!/usr/bin/env python3
"""Makes docs/images/prometheus.png: Prometheus' own graphs of a training of two ranks that goes on.

    .deps/python/bin/python tests/monitoring/screenshot.py
"""

import os
import pathlib
import sys
import tempfile
import urllib.parse

TESTS = pathlib.Path(__file__).parents[1]
SOURCE = TESTS.parent
os.environ.setdefault("EFFUSE_BIN", str(SOURCE / "build/release/bin"))
os.environ.setdefault("EFFUSE_SOURCE", str(SOURCE))
sys.path[:0] = [str(TESTS / "jobs"), str(TESTS / "report")]

from PIL import Image  # noqa: E402

from browser import chromium  # noqa: E402
from programs import kill_all, make_config, make_dataset, overrides, start  # noqa: E402
from prometheus_server import Prometheus  # noqa: E402

PANELS = ('sum by (part) (rate(effuse_train_step_part_seconds_sum{rank="0"}[20s]))', "effuse_train_timestep_loss")
SECONDS = 100
SIZE = {"width": 1100, "height": 1020}


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_dataset(folder / "packed")
        job = start("effuse-train", "--config", make_config(folder), *overrides({
            "run.steps": 10**6, "checkpoint.every_steps": 200, "run.log_every_steps": 20, "metrics.exporter": "true",
            "metrics.address": "127.0.0.1", "metrics.targets": folder / "targets"}), ranks=2)
        try:
            with Prometheus(folder / "prometheus", [folder / "targets/*.json"], [folder / "nodes/*.json"]) as prometheus:
                prometheus.wait_until(lambda: list(prometheus.query("effuse_train_step").values()))
                began = prometheus.query("time()")[""]
                prometheus.wait_until(lambda: prometheus.query("time()")[""] > began + SECONDS, 2 * SECONDS)
                shoot(prometheus)
        finally:
            kill_all(job)
            job.communicate()


def shoot(prometheus):
    asked = urllib.parse.urlencode({f"g{i}.{key}": value for i, expression in enumerate(PANELS) for key, value in
                                    {"expr": expression, "tab": 0, "range_input": f"{SECONDS}s"}.items()},
                                   quote_via=urllib.parse.quote)
    output = SOURCE / "docs/images/prometheus.png"
    with chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        page.goto(f"http://{prometheus.address}/graph?{asked}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=output, full_page=True)
    picture = Image.open(output).convert("RGB")
    picture.quantize(200, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(output, optimize=True)
    print(output, f"{output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
