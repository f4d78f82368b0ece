#!/usr/bin/env python3
"""Draws docs/images/sampler-order.png from the CSV that sampler_order prints.

    build/release/bin/sampler_order | python3 tests/tools/plot_sampler_order.py

Needs matplotlib.
"""

import csv
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

STYLES = {"ddim": ("o", "#0072b2"), "plms": ("s", "#d55e00"), "dpmpp_2m": ("^", "#009e73")}
PANELS = {
    "lambda": "equal steps of $\\lambda$ (half the log of the SNR)",
    "linspace": "linear schedule, T = 1,000, spacing linspace",
}


def guide(axes, steps, error, order):
    """A line of the slope that a solver of this order has."""
    ends = [steps[0], steps[-1]]
    axes.plot(ends, [error, error * (ends[0] / ends[1]) ** order], ":", color="0.55", linewidth=1)
    axes.annotate(f"order {order}", (ends[0], error), xytext=(0, 5 if order == 1 else -11),
                  textcoords="offset points", color="0.4", fontsize=8)


def main():
    rows = list(csv.DictReader(sys.stdin))
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    for axes, (kind, title) in zip(panels, PANELS.items()):
        for sampler, (marker, colour) in STYLES.items():
            mine = [r for r in rows if r["steps_in"] == kind and r["sampler"] == sampler]
            steps = [int(r["steps"]) for r in mine]
            axes.loglog(steps, [float(r["error"]) for r in mine], marker=marker, color=colour,
                        markersize=5, linewidth=1.4, label=sampler)
        guide(axes, steps, 0.4, 1)
        guide(axes, steps, 0.02, 2)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("steps")
        axes.grid(True, which="major", alpha=0.25)
    panels[0].set_ylabel("RMS error of pixels in [−1, 1]")
    panels[0].legend(frameon=False)
    target = pathlib.Path(__file__).parents[2] / "docs" / "images" / "sampler-order.png"
    figure.savefig(target, dpi=100)


if __name__ == "__main__":
    main()
