"""Scores without files in between: effuse-sample --evaluate, and the evaluations of effuse-train."""

import json
import pathlib
import re

import pytest
from PIL import Image

from programs import checkpoints, log_lines, make_config, make_dataset, overrides, run

TOLERANCE = 1e-9
NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    make_dataset(folder / "packed", count=12)
    make_config(folder)
    return folder


def settings(**more):
    return overrides({"evaluation.network": NETWORK, "evaluation.tile": 4, "sampling.tile": 4, "sampling.steps": 2, **more})


def train(place, name, *arguments, ranks=2):
    return run("effuse-train", "--config", place / "tiny.toml", "--name", name, *arguments, ranks=ranks)


EVALUATED = {"evaluation.every_steps": 10, "evaluation.number": 10}


@pytest.fixture(scope="module")
def evaluated(place):
    """A run that is stopped half-way and continued, evaluated at steps 10 and 20."""
    for steps in (10, 20):
        done = train(place, "evaluated", "--steps", steps, *settings(**EVALUATED))
        assert done.returncode == 0, done.stderr
    return place / "runs/evaluated"


def evaluations(folder):
    return [json.loads(line) for line in (folder / "metrics/evaluation.jsonl").read_text().splitlines()]


def test_training_is_scored_and_the_best_checkpoint_kept(evaluated):
    lines = evaluations(evaluated)
    assert [line["step"] for line in lines] == [10, 20]
    assert all(line["fid"] > 0 and line["images"] == 10 and line["seconds"] > 0 for line in lines)
    best = min(lines, key=lambda line: line["fid"])["step"]
    assert (evaluated / "checkpoints/best").readlink().name == f"step-{best:08d}"
    assert f"step-{best:08d}" in checkpoints(evaluated)
    assert json.loads((evaluated / "goodput.json").read_text())["lost_s"]["evaluation"] > 0


def test_evaluations_change_nothing_of_the_training(place, evaluated):
    done = train(place, "plain", "--steps", 20)
    assert done.returncode == 0, done.stderr
    assert log_lines(place / "runs/plain") == log_lines(evaluated)


def test_an_evaluation_that_is_due_is_made_up_for_and_its_scores_go_on_being_served(place):
    """As of one that a stop cut short: the run went on to a checkpoint at another step."""
    assert train(place, "due", "--steps", 12, *settings()).returncode == 0
    for steps in (14, 16):  # in the last attempt there is none
        done = train(place, "due", "--steps", steps, *settings(**EVALUATED, **{
            "metrics.exporter": "true", "metrics.address": "127.0.0.1"}))
        assert done.returncode == 0, done.stderr
    folder = place / "runs/due"
    line, = evaluations(folder)
    assert line["step"] == 12 and "step-00000012" in checkpoints(folder)
    served = (folder / "metrics/final/rank-0000.prom").read_text()
    value, = re.findall(r'^effuse_evaluation_score{.*metric="fid".*} (\S+)$', served, re.M)
    assert float(value) == pytest.approx(line["fid"], rel=1e-9)
    assert re.search(r"^effuse_evaluation_step{.*} 12$", served, re.M)


def sampled(place, evaluated, output, *arguments, ranks=1):
    done = run("effuse-sample", "--weights", evaluated / "checkpoints/best", "--output", output, "--number", 11,
               "--device", "cpu", "--set", "parallel.threads=1", *settings(), *arguments, ranks=ranks)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("ranks", [1, 3, 4])  # of three tiles
def test_a_score_from_the_sampler_is_that_of_the_files(place, evaluated, tmp_path, ranks):
    straight = sampled(place, evaluated, tmp_path / "scores", "--evaluate", place / "packed", ranks=ranks)
    assert straight.stdout.startswith("fid ")
    assert sorted(path.name for path in (tmp_path / "scores").iterdir()) == ["result.json", "result.png"]
    sampled(place, evaluated, tmp_path / "files")
    done = run("effuse-evaluate", "--reference", place / "packed", "--images", tmp_path / "files", "--network", NETWORK,
               "--tile", 4, "--device", "cpu",
               "--set", "parallel.threads=1", "--output", tmp_path / "files.json")
    assert done.returncode == 0, done.stderr
    ours = json.loads((tmp_path / "scores/result.json").read_text())
    theirs = json.loads((tmp_path / "files.json").read_text())
    assert ours["fid"]["value"] == pytest.approx(theirs["fid"]["value"], rel=TOLERANCE)
    assert ours["sampling"]["seeds"] == "0-10" and ours["images"]["count"] == 11
    with Image.open(tmp_path / "scores/result.png") as one, Image.open(tmp_path / "files.png") as other:
        assert one.tobytes() == other.tobytes()


def test_what_cannot_be_scored_is_refused(place, evaluated, tmp_path):
    for arguments, words in ((("--part", "1/2"), "a part has no score"),
                             (("--seeds", "2-9"), "not the first of a tile"),
                             (("--metrics", "psnr"), "compare pairs"),
                             (("--metrics", "is"), "needs a network that classifies"),
                             (("--set", "evaluation.network="), "Set evaluation.weights to the file")):
        number = () if "--seeds" in arguments else ("--number", 8)
        done = run("effuse-sample", "--weights", evaluated, "--output", tmp_path / "out", "--device", "cpu", *number,
                   *settings(), "--evaluate", place / "packed", *arguments)
        assert done.returncode == 2 and words in done.stderr, done.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_too_few_images_are_refused_before_any_is_made(place, evaluated, tmp_path, check):
    (tmp_path / "file").write_text("no folder")
    kid = ("--metrics", "kid", "--set", "evaluation.kid_subset_size=9")
    for output, metrics, code, words in ((tmp_path / "out", kid, 3, "but there are 8 images"),
                                         (tmp_path / "out", ("--number", 1), 3, "need two images, but there is 1"),
                                         (tmp_path / "file/out", (), 2, "sampling.output: ")):
        done = run("effuse-sample", "--weights", evaluated, "--output", output, "--device", "cpu", "--number", 8,
                   *settings(), "--evaluate", place / "packed", *metrics, *check)
        assert done.returncode == code and words in done.stderr and not output.exists(), done.stderr


def test_evaluations_that_cannot_be_are_refused_before_training(place):
    for more, code, words in (({"evaluation.every_steps": 7}, 2, "multiple of checkpoint.every_steps"),
                              ({"sampling.steps": 30}, 2, "timesteps"),
                              ({"evaluation.metrics": '["kid"]', "evaluation.kid_subset_size": 11}, 3, "there are 10 images"),
                              ({"evaluation.metrics": '["is"]'}, 2, "needs a network that classifies"),
                              ({"evaluation.network": place / "tiny.toml"}, 3, "tiny.toml"),
                              ({"evaluation.reference": place / "absent"}, 3, "does not exist")):
        done = train(place, "refused", "--steps", 20, *settings(**{**EVALUATED, **more}))
        assert done.returncode == code and words in done.stderr, done.stderr
        assert not checkpoints(place / "runs/refused")
