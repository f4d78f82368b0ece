"""Faults that [drill] makes in training jobs: how each ends the job, what it says, what it leaves, and that the
same command without it goes on."""

import os
import re
import signal

import pytest

from failing_jobs import (STEPS, Job, arguments, assert_continues, checkpoints, fail, log_lines, log_of,
                          make_workplace, outcome, run)

# Of whatever section the fault hits.
IMPATIENT = {"parallel.step_timeout_s": 2, "parallel.save_timeout_s": 2}
MISSED = (r"waited \d\.\d s for the other ranks in (all_reduce|all_gather) of .*, number \d+, section (step|save), "
          r"longer than its deadline of 2\.0 s: .*rank {rank} on \S+ does not answer \(it is stopped")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return make_workplace(tmp_path_factory.mktemp("drill"))


@pytest.fixture(scope="module")
def straight(workplace):
    """{ranks: run folder} of runs that met no fault."""
    folders = {}
    for ranks in (2, 3):
        done = run("effuse-train", *arguments(workplace, f"straight-{ranks}"), ranks=ranks)
        assert done.returncode == 0, done.stderr
        folders[ranks] = workplace / "runs" / f"straight-{ranks}"
    return folders


def drill(fault, rank, **settings):
    return {"drill.fault": fault, "drill.rank": rank, "drill.step": 7, **settings}


@pytest.mark.parametrize("fault, number", [("kill", 9), ("segfault", 11)])
def test_a_rank_that_dies_ends_the_job(workplace, straight, fault, number):
    messages = fail(workplace, fault, 2, **drill(fault, 1))
    assert f"warning: a drill is on: {fault} at rank 1 in step 7" in messages
    assert re.search(rf"rank 1 .*signal {number} ", messages), messages
    folder = workplace / "runs" / fault
    assert checkpoints(folder) == ["step-00000005"]
    assert (outcome(folder)["outcome"], outcome(folder)["exit_code"]) == ("running", None)
    assert_continues(workplace, fault, 2, straight[2])


@pytest.mark.parametrize("ranks, rank", [(2, 0), (3, 1)])
def test_a_rank_that_stops_is_named_and_the_job_ends(workplace, straight, ranks, rank):
    name = f"stop-{rank}"
    messages = fail(workplace, name, ranks, **drill("stop", rank), **IMPATIENT)
    assert re.search(MISSED.format(rank=rank), messages), messages
    assert not re.search(r"rank \d (is|has been) in section", messages), "the others are not missing"
    folder = workplace / "runs" / name
    assert checkpoints(folder) == ["step-00000005"]
    record = outcome(folder)
    assert (record["outcome"], record["exit_code"]) == ("failure", 1) and record["step"] < 7, record
    assert f"rank {rank} on " in record["reason"]
    if ranks == 3:
        assert_continues(workplace, name, ranks, straight[ranks])


def test_the_logs_of_a_job_that_hangs_hold_the_stacks_of_all_that_answer(workplace, straight):
    """Of the job of three ranks above, of which rank 1 was stopped."""
    for rank in (0, 2):
        log = log_of(workplace, "stop-1", rank)
        for function in ("effuse::Trainer::run(", "effuse::OperationQueue::run(", "main ("):
            assert f"    {function}" in log, log
        assert "(roll call)" in log and "(operations)" in log
    assert "effuse::Trainer" not in log_of(workplace, "stop-1", 1)


def test_a_rank_stopped_from_outside_is_named(workplace):
    job = Job(*arguments(workplace, "outside", **IMPATIENT, **{"run.steps": 100000}), ranks=2)
    job.wait_for((workplace / "runs/outside/checkpoints/step-00000005/manifest.json").exists)
    os.kill(job.pids[1], signal.SIGSTOP)
    code, messages = job.end()
    assert code == 1
    assert re.search(MISSED.format(rank=1), messages), messages
    assert checkpoints(workplace / "runs/outside")
    more = run("effuse-train", *arguments(workplace, "outside", **{"run.steps": outcome(workplace / "runs/outside")["step"] + 5}),
               ranks=2)
    assert more.returncode == 0 and "continuing after step" in more.stderr, more.stderr


def test_a_rank_that_is_slower_than_the_deadline_answers_where_it_is(workplace):
    messages = fail(workplace, "late", 2, **drill("slow", 1, **{"drill.seconds": 60}), **IMPATIENT)
    assert re.search(r"number \d+, section step, longer than its deadline of 2\.0 s: rank 1 (is|has been) in section step.*"
                     r"last came to .*, number \d+", messages), messages
    assert "does not answer" not in messages
    log = log_of(workplace, "late", 1)
    assert "rank 0 has waited too long in " in log and "effuse::DrillHook::before_step(" in log, log


def test_a_rank_that_is_slow_within_the_deadline_changes_nothing(workplace, straight):
    done = run("effuse-train", *arguments(workplace, "slow", **drill("slow", 1, **{"drill.seconds": 0.05})), ranks=2)
    assert done.returncode == 0, done.stderr
    assert log_lines(workplace / "runs/slow") == log_lines(straight[2])


@pytest.mark.parametrize("ranks, rank", [(2, 0), (3, 1)])
def test_a_reduction_left_out_is_told_as_divergence(workplace, straight, ranks, rank):
    name = f"skip-{rank}"
    messages = fail(workplace, name, ranks, **drill("skip_reduction", rank))
    assert "the ranks came to different operations" in messages
    others = {2: "rank 1", 3: "ranks 0 and 2"}[ranks]
    listed = {found[1]: found[2] for found in re.finditer(r"(ranks? [\d and]+): ([a-z_]+ of [^;]*, number \d+)", messages)}
    assert {f"rank {rank}", others} <= listed.keys(), messages
    assert listed[f"rank {rank}"] != listed[others]
    folder = workplace / "runs" / name
    assert checkpoints(folder) == ["step-00000005"]
    assert (outcome(folder)["outcome"], outcome(folder)["exit_code"]) == ("failure", 1)
    if ranks == 2:
        assert_continues(workplace, name, ranks, straight[ranks])


@pytest.mark.parametrize("ranks, every, step", [(2, 0, 10), (3, 4, 8)])
def test_a_flipped_bit_of_a_weight_is_found_before_it_is_saved(workplace, straight, ranks, every, step):
    """At the save of step 10, or where steps are compared in between."""
    name = f"flip-{ranks}"
    messages = fail(workplace, name, ranks, **drill("flip_weight", 1), **{"parallel.replica_check_every_steps": every})
    who = {2: r"ranks 0 and 1 on \S+ differ in", 3: r"rank 1 on \S+ differs from the others in"}[ranks]
    assert len(re.findall(rf"after step {step} the ranks no longer hold the same: {who} [\w.]+\.(weight|bias)",
                          messages)) == 1, messages
    assert "MPI_ABORT" not in messages, "all ranks know, and end in order"
    folder = workplace / "runs" / name
    assert checkpoints(folder) == ["step-00000005"]
    record = outcome(folder)
    assert (record["outcome"], record["exit_code"]) == ("failure", 1) and "no longer hold the same" in record["reason"]
    if ranks == 2:
        assert_continues(workplace, name, ranks, straight[ranks])


def test_a_drill_at_a_rank_that_there_is_not_is_refused(workplace):
    refused = run("effuse-train", *arguments(workplace, "nobody", **drill("kill", 2)), ranks=2)
    assert refused.returncode == 2
    assert "drill.rank is 2, but the ranks are 0 to 1" in refused.stderr


def test_the_deadlines_of_a_finished_run_were_not_in_its_way(straight):
    """The runs that met no fault asked nobody."""
    for folder in straight.values():
        assert len(log_lines(folder)) == STEPS
        assert "waits on" not in (folder / "logs/rank-0000.log").read_text()
