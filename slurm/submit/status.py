"""The table of effuse-submit status, from Slurm and the run folders."""

import collections
import pathlib

from submit import records, slurm
from submit.errors import Refused
from submit.job import is_whole
from submit.progress import Progress, of_logs

COLUMNS = ("run", "job", "kind", "state", "restarts", "progress", "loss", "images/s", "left", "checkpoint")


def show(folder, name):
    """Of one run, or of all in `folder`."""
    folders = [folder / name] if name else records.runs(folder)
    known = slurm.elements()
    rows = [row for run_folder in folders for row in rows_of(run_folder, known)]
    if not rows:
        raise Refused(f"no job was submitted for {folder / name}" if name else
                      f"no run in {folder} was submitted with effuse-submit (other places: --runs FOLDER)")
    print_table([COLUMNS, *rows])


def rows_of(run_folder, known):
    """A row for each job that is at work, and for the last one with each result."""
    found = records.read(run_folder)
    last = {(record["kind"], record["result"]): record["job"] for record in found}
    for record in found:
        elements = known.get(record["job"], [])
        if record["job"] not in last.values() and not slurm.active_states(known, record["job"]):
            continue
        state = state_of(record, elements)
        restarts = str(sum(element.restarts for element in elements)) if elements else ""
        yield (run_folder.name, record["job"], record["kind"], state, restarts,
               *(training_columns(Progress(run_folder), state) if record["kind"] == "train" else columns(record, elements)))


def state_of(record, elements):
    """Slurm's word, of an array how many elements are in which state; later, whether there is a whole result."""
    if not elements:
        return "done" if is_whole(record["kind"], pathlib.Path(record["result"])) else "gone, not done"
    if len(elements) == 1:
        state, reason, _ = elements[0]
        return state.lower() if reason in ("None", "") or state == "RUNNING" else f"{state.lower()} ({reason})"
    counts = collections.Counter(element.state.lower() for element in elements)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    if set(counts) == {"completed"} and not is_whole(record["kind"], pathlib.Path(record["result"])):
        return f"{states}, parts are missing"
    return states


def columns(record, elements):
    """Of a job that makes images, scores or shards, while it does."""
    said = of_logs(records.logs(record)) if any(element.state == "RUNNING" for element in elements) else None
    if not said:
        return ("",) * 5
    done, total, unit, left = said
    return f"{done:,} of {total:,} {unit}", "", "", duration(left) if left is not None else "", ""


def training_columns(progress, state):
    step, total, loss, rate, left = (progress.step(), progress.total(), progress.loss(), progress.images_per_s(),
                                     progress.left_s())
    checkpoint = progress.checkpoint()
    return (f"{step:,} of {total:,} steps" if total else "", f"{loss:.4f}" if loss is not None else "",
            f"{rate:.1f}" if rate else "", duration(left) if left is not None and state == "running" else "",
            f"step {checkpoint[0]:,}, {duration(checkpoint[1])} ago" if checkpoint else "none")


def duration(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def print_table(rows):
    """Columns that are empty are left out."""
    columns = [column for column in zip(*rows) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
