"""What the tests of a training job's life have in common: jobs that train until something befalls them."""

from workplace import ENDLESS, TWO_NODES, assert_same_run, last_checkpoint, outcome

# It has no end, saves only when it is stopped, and is slow, so that what follows is soon done again without a stop.
UNTIL_STOPPED = {"run.steps": ENDLESS, "checkpoint.every_steps": ENDLESS, "drill.fault": "slow", "drill.seconds": 0.1}


def begin(place, name, *options, **settings):
    """A job on two nodes of a run that has no end, once it trains."""
    variables = {key: settings.pop(key) for key in list(settings) if key.isupper()}
    job = place.submit("train", place.configure(name, **{**UNTIL_STOPPED, **settings}), options=(*TWO_NODES, *options),
                       **variables)
    place.wait_for_steps(name)
    return job


def assert_stopped_with_checkpoint(place, name, job):
    ended = outcome(place.run_folder(name))
    assert ended["outcome"] == "stopped", place.log(job)
    assert last_checkpoint(place.run_folder(name)).name == f"step-{ended['step']:08d}"


def assert_continues(place, name, job):
    """A requeued job, given an end, comes to it, bit for bit as if it had never been stopped."""
    steps = place.finish_soon(name)
    place.cluster.start_again(job)
    place.finished(job)
    assert outcome(place.run_folder(name))["step"] == steps
    assert_same_run(place.run_folder(name), place.uninterrupted(name, steps, ranks=4))


def requeued(place, job):
    """Waits until the job has left its nodes to run again."""
    place.cluster.wait(f"job {job} was requeued", lambda: place.cluster.job(job).get("Restarts") == "1")
    place.cluster.wait_for_state(job, "PENDING")
