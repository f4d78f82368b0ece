"""Where jobs of the tests run: a data set, a configuration of a tiny model, and the batch scripts on the cluster."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))

from gated_network import Gate  # noqa: F401
from image_sets import waves, write_folder  # noqa: F401
from programs import (assert_same_run, last_checkpoint, make_config, make_dataset, make_images, outcome,  # noqa: F401
                      overrides, run)
from runs import losses  # noqa: F401

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
BIN = pathlib.Path(os.environ["EFFUSE_BIN"])
NETWORK = SOURCE / "tests/golden/feature_network.pt"  # features that take no time
ENDLESS = 10**9
TWO_NODES = ("--nodes=2", "--ntasks-per-node=2")


def files_of(folder):
    """{name: bytes} of all files below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Workplace:
    """A folder that all nodes share, from which jobs are submitted."""

    def __init__(self, folder, cluster):
        self.folder = folder
        self.cluster = cluster
        make_dataset(folder / "packed")
        make_config(folder)

    def submit(self, script, *arguments, options=(), **variables):
        """The id of a job of slurm/SCRIPT.sbatch, on nodes without GPUs unless `options` ask for some."""
        variables = {"EFFUSE_HOME": str(SOURCE), "EFFUSE_BIN": str(BIN), **variables}
        return self.cluster.submit("--gpus-per-node=0", "--cpus-per-task=1", "--time=10", *options,
                                   SOURCE / f"slurm/{script}.sbatch", *arguments, cwd=self.folder, **variables)

    def configure(self, name, **settings):
        """A configuration file of its own for a training run, which can be changed while the job is queued."""
        settings = {"preview.every_steps": 0, "run.steps": 12, **settings}
        text = run("effuse-train", "--config", self.folder / "tiny.toml", "--name", name, *overrides(settings),
                   "--print-config").stdout
        (self.folder / f"{name}.toml").write_text(text)
        return f"{name}.toml"

    def finished(self, job):
        """What Slurm knows of a job that has to come to its end."""
        record = self.cluster.wait_for_end(job)
        assert record["JobState"] == "COMPLETED", self.log(job)
        return record

    def failed(self, job, code):
        """The log of a job that has to fail with that exit code, and is not requeued."""
        record = self.cluster.wait_for_end(job)
        assert (record["JobState"], record["ExitCode"], record["Restarts"]) == ("FAILED", f"{code}:0", "0"), self.log(job)
        return self.log(job)

    def run_folder(self, name):
        return self.folder / "runs" / name

    def hosts(self, name):
        """Of the ranks of the last attempt."""
        environment = json.loads((self.run_folder(name) / "environment.json").read_text())
        return [rank["host"] for rank in environment["ranks"]]

    def log(self, job):
        return "".join(path.read_text() for path in self.folder.glob(f"*-{job}.out"))

    def wait_for_steps(self, name, number=3):
        """Until that many steps of the run are logged."""
        log = self.run_folder(name) / "metrics/train.jsonl"
        self.cluster.wait(f"{number} steps of {name} are logged",
                          lambda: log.exists() and log.read_bytes().count(b"\n") >= number)

    def finish_soon(self, name, more=5):
        """Gives an endless run an end, a few steps after its last checkpoint. Returns the number of steps."""
        steps = int(last_checkpoint(self.run_folder(name)).name.removeprefix("step-")) + more
        self.configure(name, **{"run.steps": steps})
        return steps

    def uninterrupted(self, name, steps, ranks):
        """The run folder of the same training under plain mpirun."""
        config = self.configure(f"{name}-uninterrupted", **{"run.steps": steps})
        done = run("effuse-train", "--config", self.folder / config, ranks=ranks)
        assert done.returncode == 0, done.stderr
        return self.run_folder(f"{name}-uninterrupted")
