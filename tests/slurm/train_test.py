"""slurm/train.sbatch on a real cluster: where the ranks run, what they get, and what is refused."""

import pytest

from workplace import TWO_NODES, assert_same_run, last_checkpoint


def test_two_nodes_train_as_one_machine(place, cluster, launcher):
    before = [cluster.bytes_received(node) for node in ("n1", "n2")]
    place.finished(place.submit("train", place.configure(launcher), options=TWO_NODES, EFFUSE_LAUNCHER=launcher))
    assert place.hosts(launcher) == ["n1", "n1", "n2", "n2"]
    model_bytes = (last_checkpoint(place.run_folder(launcher)) / "model.safetensors").stat().st_size
    received = [cluster.bytes_received(node) - bytes for node, bytes in zip(("n1", "n2"), before)]
    assert min(received) > 12 * model_bytes / 2, received  # gradients of 12 steps
    assert_same_run(place.run_folder(launcher), place.uninterrupted(launcher, 12, ranks=4))


def test_arguments_are_handed_through_and_a_finished_run_ends_at_once(place):
    words = ("train", place.configure("short"), "--steps", "3", "--set", "run.seed=8")
    place.finished(place.submit(*words, options=("--ntasks-per-node=1",)))
    assert last_checkpoint(place.run_folder("short")).name == "step-00000003"
    assert "seed = 8" in (place.run_folder("short") / "config.toml").read_text()
    again = place.submit(*words, options=("--ntasks-per-node=1",))
    place.finished(again)
    assert "finished already" in place.log(again), place.log(again)


def test_preflight_comes_first_when_asked(place):
    config = place.configure("checked")
    job = place.submit("train", config, options=TWO_NODES, EFFUSE_PREFLIGHT="yes")
    place.finished(job)
    log = place.log(job)
    assert 0 < log.index("4 ranks on 2 hosts") < log.index("run         "), log


def test_an_unfit_allocation_is_refused(place):
    config = place.configure("unfit", **{"data.folder": place.folder / "nowhere"})
    log = place.failed(place.submit("train", config, options=TWO_NODES, EFFUSE_PREFLIGHT="yes"), code=1)
    assert "data        FAILED" in log
    assert "effuse-preflight finds this allocation unfit" in log
    assert not place.run_folder("unfit").exists()


def test_bad_configuration_and_bad_data(place):
    log = place.failed(place.submit("train", "missing.toml"), code=2)
    assert "missing.toml" in log
    config = place.configure("no-data", **{"data.folder": place.folder / "nowhere"})
    log = place.failed(place.submit("train", config, options=TWO_NODES), code=3)
    assert "nowhere does not exist" in log


def test_worlds_of_one_are_refused(place, cluster):
    job = place.submit("train", place.configure("alone"), options=TWO_NODES, EFFUSE_SRUN_FLAGS="--mpi=none")
    record = cluster.wait_for_end(job)
    assert (record["JobState"], record["Restarts"]) == ("FAILED", "0")
    # That of refused ranks, or of those that srun ended when the first had left.
    assert record["ExitCode"] in ("2:0", "143:0"), place.log(job)
    assert "srun --mpi=pmix" in place.log(job)


def test_an_unknown_site_is_refused(place):
    log = place.failed(place.submit("train", place.configure("lost"), EFFUSE_SITE="atlantis"), code=2)
    assert "sites/atlantis.env" in log


@pytest.mark.parametrize("request_", ["--gres=gpu:2", "--gpus-per-node=2"])
def test_gpus(place, cluster, request_):
    """The ranks of a node see all its GPUs, and use the one of their local rank."""
    job = cluster.submit(*TWO_NODES, request_, "--output=gpus-%j.out", "--wrap",
                         "srun --label bash -c 'echo $SLURM_NODEID $SLURM_LOCALID $CUDA_VISIBLE_DEVICES'", cwd=place.folder)
    place.finished(job)
    assert sorted(place.log(job).splitlines()) == ["0: 0 0 0,1", "1: 0 1 0,1", "2: 1 0 0,1", "3: 1 1 0,1"]
    options = (*TWO_NODES, request_) if "node" in request_ else (*TWO_NODES, "--gpus-per-node=0", request_)
    place.finished(place.submit("train", place.configure("gpus"), options=options))


def test_one_gpu_for_each_task(place, cluster):
    job = cluster.submit(*TWO_NODES, "--gpus-per-task=1", "--output=gpus-%j.out", "--wrap",
                         "srun bash -c 'echo $SLURM_NODEID $SLURM_LOCALID $CUDA_VISIBLE_DEVICES'", cwd=place.folder)
    place.finished(job)
    assert sorted(place.log(job).splitlines()) == ["0 0 0", "0 1 1", "1 0 0", "1 1 1"]


def test_more_gpus_than_there_are(place, cluster):
    refused = cluster.run("sbatch", "--gpus-per-node=3", "--wrap=true", cwd=place.folder, check=False)
    assert refused.returncode != 0 and "Requested node configuration is not available" in refused.stderr
