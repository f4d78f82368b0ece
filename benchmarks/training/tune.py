"""The fastest variant of each class on this machine: tried in stages, remembered in a file."""

import dataclasses
import json
import statistics
import sys

import parity
from effuse import ProgramFailed

STEPS, WARM_UP = 5, 2


@dataclasses.dataclass
class Trial:
    variant: object
    seconds: float  # of a step; infinite where it failed
    note: str = ""

    def text(self):
        return self.note or f"{1e3 * self.seconds:.0f} ms"


def attempt(setup, program, variant, reference):
    """`reference`: losses that it has to make, too."""
    try:
        running = program(setup, variant).start()
        try:
            burst = running.burst(STEPS, WARM_UP)
        finally:
            running.close()
    except ProgramFailed as failure:
        return Trial(variant, float("inf"), f"failed: {failure.args[0].splitlines()[-1][:120]}")
    if reference and parity.difference(reference, running.first_losses) > parity.tolerance(variant):
        return Trial(variant, float("inf"), "other losses than Effuse's")
    return Trial(variant, statistics.median(burst.seconds))


def tune(setup, of_class, reference=None):
    """All trials; the fastest first."""
    trials = [attempt(setup, of_class.program, of_class.base, reference)]
    for stage in of_class.stages:
        best = min(trials, key=lambda trial: trial.seconds).variant
        for change in stage:
            variant = dataclasses.replace(best, **change)
            if all(variant != trial.variant for trial in trials):
                trials.append(attempt(setup, of_class.program, variant, reference))
                print(f"  {of_class.name}: {trials[-1].variant.text()}: {trials[-1].text()}", file=sys.stderr)
    return sorted(trials, key=lambda trial: trial.seconds)


def remember(file, trials):
    file.write_text(json.dumps([{"variant": vars(t.variant), "seconds": t.seconds, "note": t.note} for t in trials],
                               indent=1))


def remembered(file, of_class):
    """Trials from a file that remember() wrote; just the base where there is none."""
    if not file.exists():
        return [Trial(of_class.base, float("nan"), "not tuned")]
    kind = type(of_class.base)
    return [Trial(kind(**t["variant"]), t["seconds"], t["note"]) for t in json.loads(file.read_text())]
