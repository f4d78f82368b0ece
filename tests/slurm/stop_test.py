"""A training job that is stopped on a real cluster: before its time limit, by an operator, a more urgent job, its user."""

from life import UNTIL_STOPPED, assert_continues, assert_stopped_with_checkpoint, begin, requeued
from workplace import BIN, TWO_NODES

WARNING = ("scancel", "--batch", "--signal=USR1")


def test_before_the_time_limit_it_saves_and_queues_itself_again(place, cluster):
    job = place.submit("train", place.configure("limit", **UNTIL_STOPPED),
                       options=(*TWO_NODES, "--time=1", "--signal=B:USR1@60"))
    dependent = cluster.submit("--dependency", f"afterok:{job}", "--kill-on-invalid-dep=yes", "--wrap=true",
                               cwd=place.folder)
    requeued(place, job)
    assert_stopped_with_checkpoint(place, "limit", job)
    assert cluster.job(dependent)["JobState"] == "PENDING"
    assert_continues(place, "limit", job)
    place.finished(dependent)


def test_mpirun_passes_the_warning_on(place, cluster):
    job = begin(place, "warned", EFFUSE_LAUNCHER="mpirun")
    cluster.run(*WARNING, job)
    requeued(place, job)
    assert_stopped_with_checkpoint(place, "warned", job)
    assert_continues(place, "warned", job)


def test_a_warning_before_the_ranks_are_up_is_not_lost(place, cluster):
    job = place.submit("train", place.configure("early", **UNTIL_STOPPED), options=TWO_NODES)
    cluster.wait("the script has begun", lambda: "ranks: 4" in place.log(job))
    cluster.run(*WARNING, job)
    requeued(place, job)
    assert "back into the queue" in place.log(job)
    cluster.run("scancel", job)


def test_restarts_in_which_nothing_begins_come_to_an_end(place, cluster):
    slow = place.folder / "slow/effuse-train"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *--get*) exec {BIN}/effuse-train "$@" ;; esac\nexec sleep 1000\n')
    slow.chmod(0o755)
    job = place.submit("train", place.configure("never"), EFFUSE_BIN=str(slow.parent))
    for restarts in range(4):
        if restarts > 0:
            cluster.start_again(job, restarts)
        cluster.wait("the script has begun", lambda: f"restarts: {restarts}" in place.log(job))
        cluster.run(*(WARNING if restarts != 1 else ("scontrol", "requeue")), job)
    record = cluster.wait_for_end(job)
    assert (record["JobState"], record["ExitCode"], record["Restarts"]) == ("FAILED", "1:0", "3")
    assert "three restarts have brought nothing new in " in place.log(job)


def test_restarts_with_headway_are_not_in_vain(place, cluster):
    """Not even those that were, before."""
    job = begin(place, "healthy")
    cluster.run(*WARNING, job)
    requeued(place, job)
    counter = place.folder / f"runs/.healthy.restarts-{job}"
    count, made_before = counter.read_text().split()
    assert count == "0"
    counter.write_text(f"3 {made_before}\n")
    cluster.start_again(job)
    cluster.wait("the script has begun", lambda: "restarts: 1" in place.log(job))
    cluster.run(*WARNING, job)
    cluster.wait("it was requeued again", lambda: cluster.job(job)["Restarts"] == "2")
    assert "nothing new" not in place.log(job)
    cluster.run("scancel", job)


def test_requeued_by_an_operator(place, cluster):
    job = begin(place, "requeued")
    cluster.run("scontrol", "requeue", job)
    requeued(place, job)
    assert_stopped_with_checkpoint(place, "requeued", job)
    assert_continues(place, "requeued", job)


def test_preempted_it_saves_and_slurm_requeues_it(place, cluster):
    job = begin(place, "preempted")
    urgent = cluster.submit("--partition=urgent", "--nodes=3", "--exclusive", "--wrap=true", cwd=place.folder)
    requeued(place, job)
    assert_stopped_with_checkpoint(place, "preempted", job)
    place.finished(urgent)
    assert_continues(place, "preempted", job)


def test_cancelled_it_saves_and_stays_cancelled(place, cluster, launcher):
    name = f"cancelled-{launcher}"
    job = begin(place, name, EFFUSE_LAUNCHER=launcher)
    cluster.run("scancel", job)
    cluster.wait_until_gone(job)
    assert cluster.job(job)["JobState"] == "CANCELLED"
    assert cluster.job(job)["Restarts"] == "0"
    assert not list((place.folder / "runs").glob(f".{name}.restarts-*"))
    assert_stopped_with_checkpoint(place, name, job)


def test_cancelled_after_the_warning_it_stays_cancelled(place, cluster):
    job = begin(place, "warned-cancelled", **{"drill.seconds": 1})
    cluster.run(*WARNING, job)
    cluster.run("scancel", job)
    cluster.wait_until_gone(job)
    assert (cluster.job(job)["JobState"], cluster.job(job)["Restarts"]) == ("CANCELLED", "0"), place.log(job)
    assert_stopped_with_checkpoint(place, "warned-cancelled", job)


def test_steps_told_to_end_are_not_requeued(place, cluster):
    job = begin(place, "ended")
    cluster.run("scancel", "--signal=TERM", job)
    place.failed(job, code=75)
    assert_stopped_with_checkpoint(place, "ended", job)
