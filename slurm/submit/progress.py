"""How far a training run is, from its run folder."""

import json
import re
import time

from submit.job import outcome_of

# What a step is made of, in seconds; exposed communication is the part that nothing hides.
PARTS = ("data_wait_s", "forward_s", "backward_s", "exposed_communication_s", "update_s")


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
        """Over the last logged steps."""
        seconds = sum(line.get(part, 0) for line in self._lines for part in PARTS)
        config = self._folder / "config.toml"
        batch = re.search(r"^batch_size = (\d+)", config.read_text(), re.MULTILINE) if config.exists() else None
        return len(self._lines) * int(batch.group(1)) / seconds if batch and seconds > 0 else None

    def left_s(self):
        seconds = [sum(line.get(part, 0) for part in PARTS) for line in self._lines]
        missing = self.total() - self.step()
        return missing * sum(seconds) / len(seconds) if seconds and missing > 0 else None

    def checkpoint(self):
        """(step, age in seconds) of the newest."""
        found = [path for path in (self._folder / "checkpoints").glob("step-*") if path.name[5:].isdigit()]
        if not found:
            return None
        newest = max(found)
        return int(newest.name[5:]), time.time() - newest.stat().st_mtime

    def _last_lines(self):
        """The end of metrics/train.jsonl; the last line may be half-written."""
        file = self._folder / "metrics/train.jsonl"
        if not file.exists():
            return []
        with open(file, "rb") as log:
            log.seek(max(0, file.stat().st_size - 8192))
            lines = log.read().split(b"\n")[:-1]
        return [line for line in map(_parsed, lines[-20:]) if line]


def _parsed(line):
    """Nothing for what is no whole line of the log."""
    try:
        record = json.loads(line)
        return record if "step" in record and "loss" in record else None
    except (ValueError, TypeError):
        return None
