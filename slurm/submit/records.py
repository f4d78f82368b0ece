"""What is kept of a submission: <run folder>/slurm/<job>/ with the script, the command and the environment."""

import json
import os
import pathlib
import shlex
import shutil
import sys
import time

from submit.job import Job
from submit.site import SLURM

FILE = "job.json"
# What can change a result or a launch; not what a login leaves there, which may hold secrets.
KEPT = ("EFFUSE_", "SBATCH_", "SLURM_CONF", "NCCL_", "UCX_", "OMPI_", "PMIX_", "OMP_", "MKL_", "CUDA_", "HDF5_", "PATH=",
        "LD_LIBRARY_PATH=", "LOADEDMODULES=")


def write(job, number, command, log, run_folder):
    """`log`: of an array with a * in place of the element."""
    folder = run_folder / "slurm" / number
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(job.script, folder)
    for name in ("common.sh", "site.sh"):
        shutil.copy(SLURM / name, folder)
    variables = [f"{key}={value}" for key, value in sorted(job.site.environment().items())]
    (folder / "environment").write_text("".join(f"{line}\n" for line in variables if line.startswith(KEPT)))
    (folder / "command").write_text(f"cd {shlex.quote(str(pathlib.Path.cwd()))}\n{shlex.join(command)}\n")
    shutil.copy(job.config, folder / "config.toml")
    record = {"job": number, "kind": job.kind, "config": str(job.config), "arguments": job.arguments,
              "log": os.path.realpath(log), "result": os.path.realpath(job.result()), "submitted": time.strftime("%Y-%m-%dT%H:%M:%S")}
    (folder / FILE).write_text(json.dumps(record, indent=2) + "\n")


def read(run_folder):
    """The records of a run, oldest first."""
    found = [_record_in(file) for file in run_folder.glob(f"slurm/*/{FILE}")]
    return sorted(filter(None, found), key=lambda record: int(record["job"]))


def _record_in(file):
    try:
        record = json.loads(file.read_text())
        record = {key: record[key] for key in ("job", "kind", "log", "result")}
        if not all(isinstance(value, str) for value in record.values()):
            raise ValueError("its values have to be texts")
        if not record["job"].isdecimal() or record["kind"] not in Job.KINDS:
            raise ValueError(f"job {record['job']} of kind {record['kind']}")
        return record
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"effuse-submit: passed over {file}, which is damaged: {error}", file=sys.stderr)
        return None


def logs(record):
    """Those that are there; each element of an array has one."""
    log = pathlib.Path(record["log"])
    return sorted(log.parent.glob(log.name))


def runs(folder):
    """The run folders in `folder` from which jobs were submitted."""
    return sorted({file.parents[2] for file in folder.glob(f"*/slurm/*/{FILE}")})
