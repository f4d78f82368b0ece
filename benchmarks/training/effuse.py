"""effuse-train as one of the programs that are compared: a run of its own for each burst of steps."""

import dataclasses
import itertools
import json
import shutil
import subprocess

import machine
from step_clock import StepClock


class ProgramFailed(Exception):
    """With what the program said."""


@dataclasses.dataclass
class Burst:
    seconds: list  # of each timed step
    losses: list  # of all steps, those before the timed ones included
    reports: list = dataclasses.field(default_factory=list)  # Effuse's own account of the timed steps


class Effuse:
    numbers = itertools.count()

    def __init__(self, setup, variant):
        self.setup, self.variant = setup, variant
        self.first_losses = None

    def start(self):
        """Nothing stays running between bursts."""
        return self

    def close(self):
        pass

    def command(self, name, steps):
        words = [self.setup.bin / "effuse-train", *self.setup.training(), "--runs", self.setup.work / "runs",
                 "--name", name, "--steps", steps]
        for key, value in self.variant.settings().items():
            words += ["--set", f"{key}={value}"]
        return [*map(str, self.launcher()), *map(str, words)]

    def launcher(self):
        if self.variant.ranks == 1:
            return []
        return ["mpirun", "--oversubscribe", "--bind-to", "core" if self.variant.bound else "none", "-n",
                self.variant.ranks]

    def burst(self, count, warm_up):
        name = f"{self.setup.name}-{next(self.numbers)}"
        folder = self.setup.work / "runs" / name
        shutil.rmtree(folder, ignore_errors=True)
        log = folder / "metrics/train.jsonl"
        with StepClock(log) as clock:
            done = subprocess.run(self.command(name, warm_up + count + 2), capture_output=True, text=True,
                                  check=False, env=machine.environment(self.variant.threads))
        if done.returncode != 0:
            raise ProgramFailed(done.stderr.strip())
        reports = [json.loads(line) for line in log.read_text().splitlines()]
        shutil.rmtree(folder)
        self.first_losses = self.first_losses or [report["loss"] for report in reports]
        return Burst(clock.intervals(warm_up), [report["loss"] for report in reports], reports[warm_up + 1:-1])
