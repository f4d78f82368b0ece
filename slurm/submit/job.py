"""The four kinds of jobs: their programs, what they make, and whether it is there already."""

import json
import pathlib

from submit.errors import Refused
from submit.site import SLURM


RESULTS = {"pack": "pack.output", "sample": "sampling.output", "evaluate": "evaluation.output"}
DURATIONS = ("run.steps", "run.images", "run.epochs")
# Asked for at once, as a program takes half a second to answer.
KEYS = ("run.folder", "run.name", *DURATIONS, "pack.input", "sampling.number", "sampling.seeds", "evaluation.images",
        *RESULTS.values())


class Job:
    """One kind of job with a configuration and further arguments of its program."""

    KINDS = ("pack", "train", "sample", "evaluate")  # in the order of a pipeline

    def __init__(self, kind, config, arguments, site):
        self.kind, self.config, self.arguments, self.site = kind, config, list(arguments), site
        self.program = f"effuse-{kind}"
        self.script = SLURM / f"{kind}.sbatch"
        self._values = None

    def value(self, key):
        """That of the configuration, as the program resolves it. Sees that the configuration can be read, too."""
        if self._values is None:
            lines = self._answer(before=[word for key in KEYS for word in ("--get", key)]).split("\n")[:-1]
            if len(lines) != len(KEYS):
                raise Refused(f"{self.program} was asked for {len(KEYS)} settings of {self.config}, but answered in "
                              f"{len(lines)} lines. Is there a line break in one of them?")
            self._values = dict(zip(KEYS, lines))
        return self._values[key]

    def check(self):
        """What the program says of its configuration, data and the results that are there."""
        # The login node has no GPU as a rule, but the nodes of the job will.
        cpu = [] if self.kind == "pack" else ["--set", "parallel.device=cpu"]
        return self._answer(after=["--check", *cpu]).strip()

    def _answer(self, before=(), after=()):
        done = self.site.run(self.program, *before, "--config", self.config, *self.arguments, *after)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).replace("error: ", "", 1)
            raise Refused(f"{self.program} refuses {self.config}: {said}")
        return done.stdout or done.stderr.strip()

    def result(self):
        """The folder or file it makes."""
        if self.kind == "train":
            return pathlib.Path(self.value("run.folder")) / self.value("run.name")
        return pathlib.Path(self.value(RESULTS[self.kind]))

    def run_folder(self):
        """Where its log and record go: the folder of the run; without a run, one named as the result."""
        name = self.value("run.name")
        if name == "run" and self.kind != "train":
            name = self.result().stem or name
        return pathlib.Path(self.value("run.folder")) / name

    def is_done(self):
        """Whether there is nothing left to do."""
        if not is_whole(self.kind, self.result()):
            return False
        if self.kind == "train":  # longer training may be wanted now
            before = Job("train", self.result() / "config.toml", (), self.site)
            return all(before.value(key) == self.value(key) for key in DURATIONS)
        if self.kind == "sample":  # a set may be added to
            made, seeds = _json(self.result() / "samples.json"), self.value("sampling.seeds")
            if seeds:
                return made.get("seeds") == seeds
            return int(self.value("sampling.number")) in (0, made.get("number"))
        if self.kind == "evaluate":
            sets = [pathlib.Path(name) / "samples.json" for name in json.loads(self.value("evaluation.images"))]
            made = [file.stat().st_mtime for file in (*sets, pathlib.Path(self.config)) if file.exists()]
            return self.result().stat().st_mtime >= max(made, default=0)
        return True


def is_whole(kind, result):
    """Whether a job of that kind has come to its end with this folder or file."""
    if kind == "train":
        return outcome_of(result).get("outcome") == "done"
    if kind == "evaluate":
        return result.is_file() and result.stat().st_size > 0
    return _json(result / {"pack": "dataset.json", "sample": "samples.json"}[kind]).get("complete") is True


def outcome_of(run_folder):
    """outcome.json of a training run; empty where there is none."""
    return _json(run_folder / "outcome.json")


def _json(file):
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
