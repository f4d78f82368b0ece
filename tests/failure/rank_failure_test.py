"""How a job ends when a rank dies, throws, stays away or disagrees: real ranks under mpirun."""

import os
import re
import select
import signal
import subprocess

import pytest

PROGRAM = os.path.join(os.environ["EFFUSE_BIN"], "rank_failure")
TIMEOUT_S = 60


def mpirun(ranks, *arguments, environment=None):
    return subprocess.Popen(
        ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), PROGRAM, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})})


def outcome(process):
    """(exit code, stderr); a job that does not end is killed, and fails the test."""
    try:
        _, stderr = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail("the job did not end")
    return process.returncode, stderr


def pids_of_ranks(process, ranks):
    pids = {}
    for line in process.stdout:
        found = re.search(r"rank (\d+) pid (\d+)", line)
        if found:
            pids[int(found[1])] = int(found[2])
        if len(pids) == ranks:
            return pids
    pytest.fail("the job ended before all ranks had started: " + process.stderr.read())


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_rank_ends_the_job(ranks, victim):
    process = mpirun(ranks, "loop")
    pids = pids_of_ranks(process, ranks)
    handles = [os.pidfd_open(pid) for pid in pids.values()]
    os.kill(pids[victim], signal.SIGKILL)
    code, stderr = outcome(process)
    assert code != 0
    assert "signal 9" in stderr
    for handle in handles:  # readable once the process has ended
        ended, _, _ = select.select([handle], [], [], TIMEOUT_S)
        assert ended, "a rank has outlived its job"
        os.close(handle)


@pytest.mark.parametrize("code", [1, 3])
def test_the_code_of_a_rank_that_fails_is_the_jobs(code):
    answer, stderr = outcome(mpirun(2, "throw", str(code)))
    assert answer == code
    assert "rank 1: rank 1 fails on purpose" in stderr


def test_an_agreed_failure_is_said_once_and_ends_in_order():
    code, stderr = outcome(mpirun(3, "agree"))
    assert code == 3
    assert stderr.count("rank 1: shard 3 is damaged") == 1
    assert "MPI_ABORT" not in stderr


def test_a_rank_that_stays_away_is_missed():
    code, stderr = outcome(mpirun(2, "absent"))
    assert code == 1
    assert "barrier, number 1, section step, longer than its deadline of 0.5 s: " in stderr
    assert re.search(r"rank 1 has been in section step for [\d.]+ s, last came to set-up of the communicator", stderr)
    assert "\n[rank 1]     pause (" in stderr, "what it does, where there is no log file"


def test_a_rank_that_does_not_come_to_the_end_is_missed():
    code, stderr = outcome(mpirun(3, "unfinished"))
    assert code == 1
    assert re.search(r"for the other ranks at the end of the job: rank 1 is in section step, "
                     r"last came to barrier, number 1, [\d.]+ s ago", stderr), stderr


def test_a_rank_that_never_starts_mpi_is_missed():
    code, stderr = outcome(mpirun(2, "late"))
    assert code == 1
    assert "waited 3.0 s for MPI to start" in stderr and "rank 0 on " in stderr


def test_tasks_that_would_be_worlds_of_their_own_are_refused():
    """As srun without --mpi=pmix starts them: Slurm's variables, and no launcher's."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_"))}
    environment.update(SLURM_PROCID="1", SLURM_NTASKS="4")
    job = subprocess.run([PROGRAM, "agree"], capture_output=True, text=True, timeout=TIMEOUT_S,
                         env=environment)
    assert job.returncode == 2
    assert "srun --mpi=pmix" in job.stderr


def test_one_task_under_slurm_is_fine():
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_"))}
    environment.update(SLURM_PROCID="0", SLURM_NTASKS="1")
    job = subprocess.run([PROGRAM, "agree"], capture_output=True, text=True, timeout=TIMEOUT_S,
                         env=environment)
    assert (job.returncode, job.stderr) == (0, "")
