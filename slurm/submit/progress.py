"""How far jobs are: training from its run folder, others from their logs."""

import json
import re
import time

from submit.job import outcome_of


class Progress:
    def __init__(self, run_folder):
        self._folder = run_folder
        self._outcome = outcome_of(run_folder)
        self._lines = self._last_lines()

    def step(self):
        return self._lines[-1]["step"] if self._lines else self._outcome.get("step", 0)

    def total(self):
        return self._outcome.get("total_steps", 0)

    def loss(self):
        return self._lines[-1]["loss"] if self._lines else None

    def images_per_s(self):
        """Over the last logged steps, with all that passed between them."""
        return self._per_s("images")

    def left_s(self):
        missing, rate = self.total() - self.step(), self._per_s("step")
        return missing / rate if rate and missing > 0 else None

    def _per_s(self, field):
        lines = [line for line in self._lines if line.get("time_s", 0) >= self._attempt_began_s()]
        seconds = lines[-1]["time_s"] - lines[0]["time_s"] if lines else 0
        return (lines[-1][field] - lines[0][field]) / seconds if seconds > 0 else None

    def _attempt_began_s(self):
        """environment.json is written when an attempt begins."""
        file = self._folder / "environment.json"
        return file.stat().st_mtime if file.exists() else 0

    def checkpoint(self):
        """(step, age in seconds) of the newest."""
        found = [path for path in (self._folder / "checkpoints").glob("step-*") if path.name[5:].isdigit()]
        if not found:
            return None
        newest = max(found, key=lambda path: int(path.name[5:]))
        return int(newest.name[5:]), time.time() - newest.stat().st_mtime

    def _last_lines(self):
        """The end of metrics/train.jsonl; the last line may be half-written."""
        file = self._folder / "metrics/train.jsonl"
        if not file.exists():
            return []
        lines = _end_of(file).split(b"\n")[:-1]
        return [line for line in map(_parsed, lines[-20:]) if line]


def _end_of(file):
    with open(file, "rb") as log:
        log.seek(max(0, file.stat().st_size - 8192))
        return log.read()


def _parsed(line):
    """Nothing for what is no whole line of the log."""
    try:
        record = json.loads(line)
        return record if "step" in record and "loss" in record else None
    except (ValueError, TypeError):
        return None


# "sample  1,888/4,000 images  47% | 34 s left", as the programs write it into a log now and then.
LINE = re.compile(r"^[a-z]+  ([\d,]+)/([\d,]+) ([a-z]+)  \d+%(?:.*\| (.+) left)?", re.MULTILINE)
BEGINNING = " slurm: job "  # what a batch script says first
SECONDS = {"h": 3600, "min": 60, "s": 1}


def of_logs(logs):
    """(done, total, unit, seconds left or None) of all elements of a job together; None where they have not said yet."""
    said = [LINE.findall(_end_of(log).decode(errors="replace").rpartition(BEGINNING)[2]) for log in logs]
    last = [lines[-1] for lines in said if lines]
    if not last:
        return None
    done, total = (sum(int(line[field].replace(",", "")) for line in last) for field in (0, 1))
    return done, total, last[0][2], max((_seconds(line[3]) for line in last if line[3]), default=None)


def _seconds(text):
    """Of "2 h 5 min"."""
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+) (h|min|s)", text))
