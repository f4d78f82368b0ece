"""effuse-sample repeats a reference exactly: given noise and labels, floats out."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from programs import make_config, make_dataset, run

SMALL = ("--device", "cpu", "--set", "parallel.threads=1", "--steps", 4)
SHAPE = (5, 3, 8, 8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The run folder of a tiny model of three classes with 20 time steps."""
    folder = tmp_path_factory.mktemp("reference")
    make_dataset(folder / "packed", classes=3)
    trained = run("effuse-train", "--config", make_config(folder))
    assert trained.returncode == 0, trained.stderr
    return folder / "runs/tiny"


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    random = np.random.default_rng(1)
    file = tmp_path_factory.mktemp("noise") / "noise.safetensors"
    save_file({"noise": random.standard_normal(SHAPE, np.float32),
               "step_noise": random.standard_normal((20, *SHAPE), np.float32)}, file)
    return file


def sample(model, output, *arguments, ranks=0):
    return run("effuse-sample", "--weights", model, "--output", output, "--tile", 2, *SMALL,
               *arguments, ranks=ranks)


def floats(folder):
    tensors = load_file(folder / "images.safetensors")
    assert list(tensors) == ["images"]
    assert tensors["images"].dtype == np.float32
    return tensors["images"]


def test_floats_are_those_that_the_pngs_are_made_of(model, tmp_path):
    from PIL import Image

    for kind, ranks in (("png", 0), ("safetensors", 2)):
        made = sample(model, tmp_path / kind, "--number", 7, "--format", kind, ranks=ranks)
        assert made.returncode == 0, made.stderr
    images = floats(tmp_path / "safetensors")
    assert images.shape == (7, 3, 8, 8)
    assert sorted(p.name for p in (tmp_path / "safetensors").iterdir()) == [
        "grid.png", "images.safetensors", "samples.json"]
    for i, pixels in enumerate(np.rint(np.clip(images, -1, 1) * 127.5 + 127.5).astype(np.uint8)):
        with Image.open(tmp_path / f"png/images/00000/{i:08d}.png") as png:
            assert np.array_equal(np.asarray(png), pixels.transpose(1, 2, 0))
    assert (tmp_path / "png/grid.png").read_bytes() == (tmp_path / "safetensors/grid.png").read_bytes()


def test_more_floats_keep_the_first_ones(model, tmp_path):
    for number in (5, 9):
        made = sample(model, tmp_path, "--number", number, "--format", "safetensors", ranks=2)
        assert made.returncode == 0, made.stderr
        images = floats(tmp_path)
        assert len(images) == number
        if number == 5:
            first = images
    assert np.array_equal(images[:5], first)


def test_given_noise_and_labels_decide_the_images(model, noise, tmp_path):
    common = ("--noise", noise, "--format", "safetensors")
    made = sample(model, tmp_path / "a", *common, "--labels", "2,0,1,1,0")
    assert made.returncode == 0, made.stderr
    record = json.loads((tmp_path / "a/samples.json").read_text())
    assert record["number"] == 5 and record["classes"] == [2, 0, 1, 1, 0]
    assert len(record["noise_sha256"]) == 64
    images = floats(tmp_path / "a")
    # Rows are the images': another seed changes nothing, another label its own row alone.
    made = sample(model, tmp_path / "b", *common, "--labels", "2,0,1,1,2", "--seed", 7, ranks=2)
    assert made.returncode == 0, made.stderr
    other = floats(tmp_path / "b")
    assert np.array_equal(other[:4], images[:4]) and not np.array_equal(other[4], images[4])


def test_step_noise_is_used_where_noise_is_added(model, noise, tmp_path):
    tensors = load_file(noise)
    plain = tmp_path / "plain.safetensors"
    save_file({"noise": tensors["noise"]}, plain)
    assert sample(model, tmp_path / "ddim", "--noise", plain).returncode == 0
    refused = sample(model, tmp_path / "ddpm", "--noise", plain, "--sampler", "ddpm")
    assert refused.returncode == 2
    assert "adds noise after 3 steps, but step_noise holds 0" in refused.stderr
    assert not (tmp_path / "ddpm").exists()
    sets = []
    for name, step_noise in (("a", tensors["step_noise"]), ("b", -tensors["step_noise"])):
        file = tmp_path / f"{name}.safetensors"
        save_file({"noise": tensors["noise"], "step_noise": step_noise}, file)
        made = sample(model, tmp_path / name, "--noise", file, "--sampler", "ddpm", "--format",
                      "safetensors")
        assert made.returncode == 0, made.stderr
        sets.append(floats(tmp_path / name))
    assert not np.array_equal(*sets)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "plms", "dpmpp_2m"])
def test_every_sampler_in_every_convention(model, tmp_path, sampler):
    sets = []
    for convention in ("effuse", "iddm", "diffusers"):
        steps = ("--steps", 20) if convention == "iddm" and sampler == "ddpm" else ()
        made = sample(model, tmp_path / convention, "--sampler", sampler, "--convention", convention,
                      "--number", 2, "--format", "safetensors", *steps)
        if (sampler, convention) == ("dpmpp_2m", "iddm"):
            assert made.returncode == 2 and "not the published method" in made.stderr
            continue
        assert made.returncode == 0, made.stderr
        sets.append(floats(tmp_path / convention))
        assert np.isfinite(sets[-1]).all()
    assert all(not np.array_equal(a, b) for i, a in enumerate(sets) for b in sets[:i])


def test_bad_requests(model, noise, tmp_path):
    wrong = tmp_path / "wrong.safetensors"
    save_file({"noise": np.zeros((2, 1, 8, 8), np.float32)}, wrong)
    empty = tmp_path / "empty.safetensors"
    save_file({"x": np.zeros(1, np.float32)}, empty)
    odd = tmp_path / "odd.safetensors"
    save_file({"noise": np.zeros((2, 3, 7, 8), np.float32)}, odd)
    for settings, code, message in (
            (("--noise", wrong), 2, "images of 1 channels, but the model makes 3"),
            (("--noise", empty), 2, 'has no tensor "noise"'),
            (("--noise", noise, "--number", 6), 2, "is for 5 images, but 6 are asked for"),
            (("--noise", tmp_path / "none"), 1, "none"),
            (("--labels", "0,3"), 2, "sampling.labels has 3, but the model has 3 classes"),
            (("--labels", "0,1", "--number", 3), 2, "2 labels for 3 images"),
            (("--labels", "0,x"), 2, "must be a list of integers"),
            (("--labels", "0,1", "--classes", "dog"), 2, "Give one"),
            (("--format", "jpeg2000"), 2, "must be one of png, jpeg, webp, h5, npz, safetensors"),
            (("--convention", "iddm", "--steps", 20), 2, "beyond the last (19)"),
            (("--sampler", "plms", "--eta", 1), 2, "plms has no eta")):
        for last in ((), ("--check",)):
            refused = sample(model, tmp_path / "out", *settings, *last)
            assert refused.returncode == code and message in refused.stderr, refused.stderr
            assert not (tmp_path / "out").exists()
    refused = sample(model, tmp_path / "out", "--noise", odd)
    assert refused.returncode == 2 and "need multiples of 2" in refused.stderr, refused.stderr
