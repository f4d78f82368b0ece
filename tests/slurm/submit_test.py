"""slurm/effuse-submit on a real cluster, as a user runs it."""

import json
import re
import shutil

from workplace import BIN, ENDLESS, NETWORK, SOURCE, last_checkpoint, make_images, outcome

# A site of its own, given by the environment.
SITE = {"EFFUSE_BIN": str(BIN), "EFFUSE_SBATCH": "--gpus-per-node=0 --cpus-per-task=1 --time=10 --ntasks-per-node=1",
        "EFFUSE_SBATCH_TRAIN": "--nodes=2", "EFFUSE_SBATCH_PACK": "--array=1-2"}


def submit(place, *words, code=0, **variables):
    """What effuse-submit says, on either stream, when it ends with that code. `variables` go into its environment."""
    done = place.cluster.run(SOURCE / "slurm/effuse-submit", *words, check=False, cwd=place.folder,
                             env=place.cluster.environment(**{**SITE, **variables}))
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    return said


def number_in(said):
    return said.split("submitted  job ")[1].split(":")[0]


def jobs(cluster):
    return cluster.run("squeue", "-h", "-t", "all", "-o", "%i").split()


def test_checks_and_dry_runs_submit_nothing(place, cluster):
    config = place.configure("dry")
    before = jobs(cluster)
    checked = submit(place, "train", config, "--check", "--set", "run.seed=5")
    assert "checked    ok: 12 steps of 8 of 40 images" in checked
    assert "using 2 processors on nodes n[1-2] in partition normal" in checked
    said = submit(place, "train", config, "--dry-run", "--set", "run.seed=5", "--sbatch=--time=7")
    logs = f"{place.folder}/runs/dry/slurm"
    assert (f"mkdir -p {logs}\nEFFUSE_HOME={SOURCE} sbatch --parsable --output={logs}/effuse-train-%j.out --gpus-per-node=0 "
            "--cpus-per-task=1 --time=10 --ntasks-per-node=1 --nodes=2 --time=7 "
            f"{SOURCE}/slurm/train.sbatch dry.toml --set run.seed=5\n") in said
    assert jobs(cluster) == before
    assert not place.run_folder("dry").exists()


def test_what_would_fail_is_refused(place, cluster):
    config = place.configure("refused")
    before = jobs(cluster)
    assert "no configuration file nothing.toml" in submit(place, "train", "nothing.toml", code=2)
    assert "run.sede" in submit(place, "train", config, "--set", "run.sede=5", code=2)
    assert "nowhere does not exist" in submit(place, "train", config, "--data", "nowhere", code=2)
    said = submit(place, "train", config, "--sbatch=--nodes=9", code=2)
    assert "Slurm would refuse the job: " in said and "More processors requested" not in said, said
    assert "there is no " in submit(place, "train", config, "--site", "atlantis", code=2)
    assert "cpu-ethernet, gpu-infiniband" in submit(place, "train", config, "--site", "../atlantis", code=2)
    assert "--name: 1 required VALUE missing" in submit(place, "train", config, "--name=", code=2)
    assert jobs(cluster) == before


def test_a_job_that_ends_before_it_begins(place):
    name, folder = "ü[*] 1", place.folder / "other runs"
    said = submit(place, "train", place.configure("held"), "--name", name, "--set", f"run.folder={folder}", "--sbatch=--hold")
    assert f"log        {folder}/{name}/slurm/effuse-train-{number_in(said)}.out\n" in said
    run = ("--runs", "other runs", name)
    assert f"effuse-submit logs -f --runs '{folder}' '{name}'" in said
    assert f"has not begun: there is no other runs/{name}/slurm/" in submit(place, "logs", *run, code=2)
    assert "checkpoint" not in submit(place, "cancel", *run)
    assert "has ended before it began" in submit(place, "logs", "-f", *run, code=2)


def test_an_array_of_trainings_is_refused(place):
    assert "effuse-train has no parts" in submit(place, "train", place.configure("many"), "--sbatch=--array=1-2", code=2)


def test_a_training_job_from_submission_to_cancellation(place, cluster):
    config = place.configure("watched", **{"run.steps": ENDLESS, "checkpoint.every_steps": 2})
    said = submit(place, "train", config, "--seed", "5")
    job = number_in(said)
    log = place.run_folder("watched") / f"slurm/effuse-train-{job}.out"
    assert f"log        {log}" in said
    place.wait_for_steps("watched", 5)
    assert f"job {job} (train, running) is at work" in submit(place, "train", config, "--set", "run.folder=runs", code=2)

    heading, row = submit(place, "status").splitlines()
    assert heading.split() == ["run", "job", "kind", "state", "restarts", "progress", "loss", "images/s", "left", "checkpoint"]
    assert row.split()[:5] == ["watched", job, "train", "running", "0"]
    assert re.search(r" of 1,000,000,000 steps  \d\.\d+ .* step [\d,]+, \d+ s ago$", row), row
    assert "2 (mpi) with 1 thread each" in submit(place, "logs", "watched")

    record = place.run_folder("watched") / "slurm" / job
    assert (record / "train.sbatch").read_bytes() == (SOURCE / "slurm/train.sbatch").read_bytes()
    assert "watched.toml --seed 5" in (record / "command").read_text()
    assert f"EFFUSE_BIN={BIN}" in (record / "environment").read_text().splitlines()
    assert json.loads((record / "job.json").read_text())["kind"] == "train"

    assert f"cancelled  job {job}: train" in submit(place, "cancel", "watched")
    cluster.wait_until_gone(job)
    assert outcome(place.run_folder("watched"))["outcome"] == "stopped"
    assert "cancelled" in submit(place, "status", "watched")
    assert "no job of " in submit(place, "cancel", "watched", code=2)


def test_a_fresh_start_keeps_its_log(place, cluster):
    config = place.configure("again", **{"run.steps": 3})
    for words in ((), ("--fresh",)):
        job = number_in(submit(place, "train", config, *words))
        cluster.wait_for_end(job)
        log = (place.run_folder("again") / f"slurm/effuse-train-{job}.out").read_text()
        assert "done: 3 steps" in log, log
    assert len(list((place.folder / "runs").glob("again.before-*"))) == 1


def pipeline_config(place, **settings):
    """chain.toml, of a pipeline from the folder `pictures` to score.json."""
    pictures = place.folder / "pictures"
    if not pictures.exists():
        make_images(pictures, count=20)
    config = place.configure("chain", **{
        "run.steps": 4, "data.folder": "set", "sampling.weights": "runs/chain", "sampling.output": "images",
        "sampling.number": 20, "sampling.steps": 5, "evaluation.images": "images", "evaluation.reference": "set",
        "evaluation.metrics": "fid", "evaluation.network": NETWORK, "evaluation.output": "score.json", **settings})
    with open(place.folder / config, "a") as file:
        file.write('[pack]\ninput = "pictures"\noutput = "set"\nimage_size = 8\n')
    return config


def test_lines_of_a_dry_run_can_be_typed(place, cluster):
    said = submit(place, "pipeline", pipeline_config(place), "--dry-run", "--sbatch=--hold")
    lines = said[said.index("mkdir -p "):]
    numbers = cluster.run("bash", "-c", f"{lines}echo $pack $train $sample $evaluate", cwd=place.folder,
                          env=cluster.environment(**SITE)).split()
    cluster.run("scancel", *numbers)
    assert [cluster.job(number)["Dependency"].split("(")[0] for number in numbers[1:]] == [
        f"afterok:{numbers[0]}_*", f"afterok:{numbers[1]}", f"afterok:{numbers[2]}"]


def test_an_interrupted_pipeline_leaves_no_job(place, cluster):
    folder = place.folder / "interrupts"
    folder.mkdir()
    # Once the second job is submitted, and before it is recorded.
    (folder / "sbatch").write_text(f'#!/bin/sh\n{shutil.which("sbatch")} "$@" || exit\n'
                                   'case "$*" in *--test-only*) ;; *train.sbatch*) kill -INT $PPID ;; esac\n')
    (folder / "sbatch").chmod(0o755)
    said = submit(place, "pipeline", pipeline_config(place), "--sbatch=--hold", code=130,
                  PATH=f"{folder}:{cluster.environment()['PATH']}")
    pack, train = (line.split()[2].rstrip(":") for line in said.splitlines() if line.startswith("submitted"))
    assert f"cancelled  what was submitted: {pack} {train}\neffuse-submit: interrupted by SIGINT" in said
    assert states_of(place, said) == ["CANCELLED"] * 2
    assert (place.run_folder("chain") / f"slurm/{train}/job.json").exists()


def states_of(place, said):
    numbers = [line.split()[2].rstrip(":") for line in said.splitlines() if line.startswith("submitted")]
    ends = ("COMPLETED", "FAILED", "CANCELLED")
    return [place.cluster.wait_for_state(number, *ends)["JobState"] for number in numbers]


def test_a_pipeline_fails_is_mended_and_goes_on(place, cluster):
    assert "does not say where effuse-pack" in submit(place, "pipeline", place.configure("no-pack"), code=2)
    # 8 channels cannot be normalised in 3 groups, which is not seen while there is no data set.
    said = submit(place, "pipeline", pipeline_config(place, **{"model.norm_num_groups": 3}))
    assert states_of(place, said) == ["COMPLETED", "FAILED", "CANCELLED", "CANCELLED"]
    shown = submit(place, "status", "chain")
    assert [line.split()[2:4] for line in shown.splitlines()[1:]] == [
        ["pack", "2"], ["train", "failed"], ["sample", "cancelled"], ["evaluate", "cancelled"]], shown

    assert "norm_num_groups" in submit(place, "pipeline", "chain.toml", code=2)  # now it is seen
    said = submit(place, "pipeline", pipeline_config(place))
    assert "pack       is done already: set" in said
    assert states_of(place, said) == ["COMPLETED"] * 3
    assert last_checkpoint(place.run_folder("chain")).name == "step-00000004"
    assert len(list((place.folder / "images").rglob("*.png"))) == 21
    assert json.loads((place.folder / "score.json").read_text())["fid"]["value"] > 0
    (place.folder / "pictures").rename(place.folder / "pictures-put-away")
    assert submit(place, "pipeline", "chain.toml").splitlines()[-1] == "nothing to do"
    (place.folder / "pictures-put-away").rename(place.folder / "pictures")

    # More images are wanted; or other ones, which would spoil the set; or a model that is trained on.
    said = submit(place, "pipeline", pipeline_config(place, **{"sampling.number": 30}), "--check")
    assert "sample     is done" not in said and "allocation sample" in said
    said = submit(place, "pipeline", pipeline_config(place, **{"sampling.steps": 6}), code=2)
    assert "images holds images made with other settings" in said
    said = submit(place, "pipeline", pipeline_config(place, **{"run.steps": 5}), code=2)
    assert "images holds images of earlier weights" in said
