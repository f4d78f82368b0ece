"""A training job on a real cluster that loses a rank, a node, the controller, or all of its time."""

import json

import pytest

from life import assert_continues, begin, requeued
from workplace import TWO_NODES, losses, outcome


def test_a_killed_rank_ends_the_job(place, cluster, launcher):
    name = f"killed-{launcher}"
    job = begin(place, name, EFFUSE_LAUNCHER=launcher, **{"checkpoint.every_steps": 2})
    node = place.hosts(name)[-1]
    cluster.run("kill", "-KILL", cluster.processes(node, "effuse-train")[0], node=node)
    log = place.failed(job, code=137)
    assert "a launcher names the rank" in log
    assert f"error: {node}: task" in log if launcher == "srun" else f"on node {node} exited on signal 9" in log, log
    assert outcome(place.run_folder(name))["outcome"] == "running"


def test_a_lost_node_is_replaced(place, cluster):
    job = begin(place, "lost", **{"checkpoint.every_steps": 2})
    lost = place.hosts("lost")[-1]
    cluster.cut_link(lost)
    try:
        requeued(place, job)
        assert_continues(place, "lost", job)
        assert lost not in place.hosts("lost")
        assert len(set(place.hosts("lost"))) == 2
    finally:
        cluster.mend_link(lost)
        cluster.wait_for_nodes()


def test_fewer_nodes_go_on_where_more_have_been(place, cluster):
    job = begin(place, "fewer", "--nodes=1-2")
    assert place.hosts("fewer") == ["n1", "n1", "n2", "n2"]
    cluster.run("scontrol", "requeue", job)
    requeued(place, job)
    cluster.run("scontrol", "update", "nodename=n2,n3", "state=drain", "reason=test")
    # Slurm holds on to the number of tasks that a job had.
    cluster.run("scontrol", "update", f"jobid={job}", "NumNodes=1", "NumTasks=2")
    try:
        steps = place.finish_soon("fewer")
        cluster.start_again(job)
        place.finished(job)
    finally:
        cluster.run("scontrol", "update", "nodename=n2,n3", "state=resume")
    assert place.hosts("fewer") == ["n1", "n1"]
    straight = losses(place.uninterrupted("fewer", steps, ranks=4))
    assert losses(place.run_folder("fewer")) == pytest.approx(straight, rel=1e-4)


def test_the_controller_may_die_meanwhile(place, cluster):
    job = begin(place, "orphan")
    cluster.kill_controller(job)
    steps = json.loads((place.run_folder("orphan") / "metrics/train.jsonl").read_text().splitlines()[-1])["step"]
    cluster.start_controller()
    place.wait_for_steps("orphan", steps + 3)
    cluster.run("scontrol", "requeue", job)
    requeued(place, job)
    assert_continues(place, "orphan", job)


def test_restarts_in_vain_come_to_an_end(place, cluster):
    # The first step takes longer than the time that a requeued job is given to leave, of which ranks are killed here.
    job = place.submit("train", place.configure("vain", **{"drill.fault": "slow", "drill.seconds": 1000}), options=TWO_NODES)
    for attempt in range(1, 5):
        cluster.wait(f"attempt {attempt} trains", lambda: has_begun(place.run_folder("vain"), attempt))
        cluster.run("scontrol", "requeue", job)
        for node in ("n1", "n2"):
            cluster.run("pkill", "-KILL", "-x", "effuse-train", node=node)
        cluster.start_again(job, restarts=attempt)
    record = cluster.wait_for_end(job)
    assert (record["JobState"], record["ExitCode"]) == ("FAILED", "1:0")
    assert "three restarts have brought nothing new in " in place.log(job)
    assert outcome(place.run_folder("vain"))["attempt"] == 4
    assert not list((place.folder / "runs").glob(".vain.restarts-*"))


def has_begun(run_folder, attempt):
    file = run_folder / "outcome.json"
    return file.exists() and json.loads(file.read_text())["attempt"] == attempt
