"""What can be done to the jobs of a run after they were submitted: reading their logs, cancelling them."""

import glob
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
    logs = last_begun(found)
    if not logs and not follow:
        raise Refused(f"job {found[-1]['job']} has not begun: there is no {found[-1]['log']} yet")
    if not logs:
        print("waiting: no job has begun", file=sys.stderr, flush=True)
    while not logs:
        time.sleep(1)
        logs = last_begun(found)
    os.execvp("tail", ["tail", "-n", "+1", *(["-F"] if follow else []), *logs])


def last_begun(found):
    """The logs of the last job that has begun, one for each element of an array."""
    return next(filter(None, (sorted(glob.glob(record["log"])) for record in reversed(found))), [])


def cancel(run_folder):
    known = slurm.elements()
    jobs = [record for record in records.read(run_folder) if slurm.active_states(known, record["job"])]
    if not jobs:
        raise Refused(f"no job of {run_folder} is waiting or running")
    slurm.cancel([record["job"] for record in jobs])
    for record in jobs:
        print(f"cancelled  job {record['job']}: {record['kind']}")
    if any(record["kind"] == "train" for record in jobs):
        print("A training job that runs saves a checkpoint first; submitted again, it continues.")
