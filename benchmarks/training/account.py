"""Where the time of a training step goes, for Effuse (step_profile) and for eager PyTorch (torch.profiler: the same
profiler), by categories of operations on CPUs and by kernels on GPUs; and how far that is from the floor: the step's
floating-point operations at the rate of matrix products on this machine."""

import json
import pathlib
import subprocess
import sys

import machine
from categories import ORDER, OUTSIDE, by_category
from report import milliseconds, table

STEPS = 4
KERNELS = 15  # of each program


def profile_of_effuse(setup, variant):
    """(summary, rows)."""
    command = [setup.bin / "step_profile", *setup.training(), "--steps", STEPS]
    for key, value in variant.settings().items():
        command += ["--set", f"{key}={value}"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                          env=machine.environment(variant.threads))
    if done.returncode != 0:
        raise SystemExit(f"step_profile failed:\n{done.stderr}")
    summary, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    return summary, rows


def peak_rate(setup, variant):
    """Floating-point operations a second in the type in which the variant computes."""
    dtype = {"fp32": "float32", "bf16": "bfloat16"}[variant.compute]
    command = [sys.executable, pathlib.Path(__file__).with_name("peak.py"), str(variant.threads), setup.device, dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=True,
                          env=machine.environment(variant.threads))
    return float(done.stdout)


def categories_table(columns):
    """columns: {program: {category: seconds}}."""
    rows = []
    for kind in ORDER:
        if any(kind in seconds for seconds in columns.values()):
            row = [kind]
            for seconds in columns.values():
                share = 100 * seconds.get(kind, 0.0) / sum(seconds.values())
                row.append(f"{milliseconds(seconds.get(kind, 0.0))} ({share:.0f} %)")
            rows.append(row)
    rows.append(["together", *(milliseconds(sum(seconds.values())) for seconds in columns.values())])
    return table(["", *columns], rows)


def kernels_table(name, rows):
    kernels = sorted((row for row in rows if "kernel" in row), key=lambda row: -row["self_s"])
    total = sum(row["self_s"] for row in kernels)
    lines = [[row["kernel"][:80], f"{row['calls']:.0f}", milliseconds(row["self_s"])] for row in kernels[:KERNELS]]
    lines.append([f"all {len(kernels)}", f"{sum(row['calls'] for row in kernels):.0f}", milliseconds(total)])
    return f"{name}, kernels of a step:\n\n" + table(["kernel", "calls", "time"], lines)


def floor(flops, rate, compute, columns):
    text = (f"A step's convolutions and products take {flops / 1e9:.3g} GFLOP, forward and backward; matrix products "
            f"in {compute} reach {rate / 1e9:.0f} GFLOP/s here, so the floor is {milliseconds(flops / rate)}.")
    for name, seconds in columns.items():
        own = sum(seconds.get(kind, 0.0) for kind in ("convolutions", "attention", "linear layers"))
        if own > 0:
            text += (f" {name} spends {milliseconds(own)} on them ({100 * flops / rate / own:.0f} % of that rate), "
                     f"{milliseconds(sum(seconds.values()))} in all.")
    return text + "\n"


def with_rest(seconds, wall_s):
    return seconds | {OUTSIDE: max(0.0, wall_s - sum(seconds.values()))}


def write(setup, group):
    """As Markdown: of Effuse, and of the first of the peers where there are some."""
    ours, *peers = group
    summary, own = profile_of_effuse(setup, ours.variant)
    theirs = [(peer.name, peer.running.ask("profile", count=STEPS)) for peer in peers[:1]]
    text = "### Where a step goes\n\n"
    if setup.device == "cuda":
        tables = [kernels_table(ours.name, own)] + [kernels_table(name, found["rows"]) for name, found in theirs]
        return text + "\n".join(tables)
    columns = {ours.name: with_rest(by_category(own), summary["wall_s"])}
    columns |= {name: with_rest(by_category(found["rows"]), found["wall_s"]) for name, found in theirs}
    text += categories_table(columns)
    if peers:
        rate = peak_rate(setup, ours.variant)
        text += "\n" + floor(peers[0].running.ask("flops"), rate, ours.variant.compute, columns)
    return text
