"""Slurm's commands."""

import collections
import getpass
import subprocess

from submit.errors import Failed, Refused

ACTIVE = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "STOPPED")


def run(*command, env=None):
    try:
        # In a session of its own it is not reached by Ctrl-C, which would leave open whether a job was submitted.
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                              start_new_session=True)
    except FileNotFoundError:
        raise Refused(f"{command[0]} is not on the path: this is no node of a Slurm cluster, or its module is not loaded.")


def test(command, env):
    """When and where the job could start, in Slurm's words."""
    done = run(command[0], "--test-only", *command[1:], env=env)
    if done.returncode != 0:
        raise Refused(f"Slurm would refuse the job: {_words(done)}")
    return _words(done).partition(" to start at ")[2] or _words(done)


def submit(command, env):
    """The job's number."""
    done = run(*command, env=env)
    if done.returncode != 0:
        raise Failed(f"sbatch failed: {_words(done)}")
    return done.stdout.strip().split(";")[0]


def cancel(jobs):
    done = run("scancel", *jobs)
    if done.returncode != 0:
        raise Failed(f"scancel failed: {_words(done)}")


Element = collections.namedtuple("Element", "state reason restarts")
FIELDS = "ArrayJobID:20|,State:20|,Reason:200|,RestartCnt:20"


def elements():
    """{job: [Element for each of its elements]} of the user's jobs that Slurm still knows; most jobs have one."""
    done = run("squeue", "--noheader", "--user", getpass.getuser(), "--states=all", "--array", f"--Format={FIELDS}")
    if done.returncode != 0:
        raise Failed(f"squeue failed: {_words(done)}")
    known = {}
    for line in done.stdout.splitlines():
        job, state, reason, restarts = map(str.strip, line.split("|"))
        known.setdefault(job, []).append(Element(state, reason, int(restarts)))
    return known


def active_states(known, job):
    """Those of the job's elements that are not at their end; `known`: elements()."""
    return [element.state for element in known.get(job, []) if element.state in ACTIVE]


def _words(done):
    text = (done.stderr.strip() or done.stdout.strip()).replace("sbatch: error: ", "").replace("sbatch: ", "")
    return " ".join(text.split())
