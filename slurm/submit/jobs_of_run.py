"""What can be done to the jobs of a run after they were submitted: reading their logs, cancelling them."""

import os
import sys
import time

from submit import records, slurm
from submit.errors import Refused


def show_log(run_folder, kind, follow):
    """Of the last job that has begun, or the last of a kind. With `follow` it does not return."""
    found = [record for record in records.read(run_folder) if kind in (None, record["kind"])]
    if not found:
        raise Refused(f"no {kind or ''} job was submitted for {run_folder}".replace("  ", " "))
    if not last_begun(found):
        require_to_come(found)
        if not follow:
            raise Refused(f"job {found[-1]['job']} has not begun: there is no {from_here(found[-1]['log'])} yet")
        print("waiting: no job has begun", file=sys.stderr, flush=True)
    while not last_begun(found):
        require_to_come(found)
        time.sleep(2)
    os.execvp("tail", ["tail", "-n", "+1", *(["-F"] if follow else []), *map(from_here, last_begun(found))])


def last_begun(found):
    """The logs of the last job that has begun."""
    return next(filter(None, (records.logs(record) for record in reversed(found))), [])


def require_to_come(found):
    """Refuses to wait for a log where no job is left to begin."""
    known = slurm.elements()
    if not any(slurm.active_states(known, record["job"]) for record in found) and not last_begun(found):
        raise Refused(f"job {found[-1]['job']} has ended before it began: there is no {from_here(found[-1]['log'])}")


def from_here(path):
    """Shorter, if it is below the current folder."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def cancel(run_folder):
    known = slurm.elements()
    states = {record["job"]: slurm.active_states(known, record["job"]) for record in records.read(run_folder)}
    jobs = [record for record in records.read(run_folder) if states[record["job"]]]
    if not jobs:
        raise Refused(f"no job of {run_folder} is waiting or running")
    slurm.cancel([record["job"] for record in jobs])
    for record in jobs:
        print(f"cancelled  job {record['job']}: {record['kind']}")
    if any(record["kind"] == "train" and "RUNNING" in states[record["job"]] for record in jobs):
        print("A training job that runs saves a checkpoint first; submitted again, it continues.")
