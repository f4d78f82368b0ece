"""effuse-convert from outside, and training from given weights: what was trained is the same model in every
format that holds it."""

import json
import os

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from programs import last_checkpoint, make_config, make_dataset, overrides, run

SMALL = ("--device", "cpu", "--tile", 2, "--set", "parallel.threads=1", "--number", 4, "--steps", 3)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Two classes, and a run of 10 steps on them."""
    folder = tmp_path_factory.mktemp("convert")
    make_dataset(folder / "packed")
    make_config(folder)
    train(folder, "tiny", **{"run.steps": 10})
    return folder


def train(workplace, name, *arguments, code=0, ranks=0, **settings):
    done = run("effuse-train", "--config", workplace / "tiny.toml", "--name", name, *arguments,
               *overrides(settings), ranks=ranks)
    assert done.returncode == code, done.stderr
    return done.stderr


def convert(*arguments, code=0, ranks=0):
    done = run("effuse-convert", *arguments, ranks=ranks)
    assert done.returncode == code, done.stderr
    return done.stderr


def sampled(weights, output, *arguments, ranks=0):
    done = run("effuse-sample", "--weights", weights, "--output", output, *SMALL, *arguments, ranks=ranks)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in sorted(output.glob("images/*/*.png"))}


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def images(workplace):
    return sampled(workplace / "runs/tiny", workplace / "from-run")


@pytest.mark.parametrize("name, to, ranks", [("plain", "effuse", 0), ("plain", "effuse", 2),
                                             ("one.safetensors", "auto", 0), ("folder", "diffusers", 2)])
def test_a_converted_run_gives_the_images_of_the_run(workplace, images, tmp_path, name, to, ranks):
    said = convert("--input", workplace / "runs/tiny", "--output", tmp_path / name, "--to", to)
    assert "2: cat, dog" in said and f"effuse-sample --weights {tmp_path / name}" in said
    assert sampled(tmp_path / name, tmp_path / "samples", ranks=ranks) == images


def test_a_converted_folder_holds_weights_state_and_manifest(workplace, tmp_path):
    convert("--input", workplace / "runs/tiny", "--output", tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == ["manifest.json", "model.safetensors", "state.json"]
    checkpoint = last_checkpoint(workplace / "runs/tiny")
    assert (tmp_path / "out/model.safetensors").read_bytes() == (checkpoint / "ema.safetensors").read_bytes()
    state = json.loads((tmp_path / "out/state.json").read_text())
    assert state["step"] == 10 and state["class_names"] == ["cat", "dog"]
    assert "[run]" not in state["config"]
    convert("--input", checkpoint, "--weights", "model", "--output", tmp_path / "last")
    assert (tmp_path / "last/model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()


def test_all_formats_lead_back_to_the_same_files(workplace, tmp_path):
    convert("--input", workplace / "runs/tiny", "--output", tmp_path / "first")
    formats = ("diffusers", "safetensors", "effuse")
    for place, to in enumerate(formats):
        before = tmp_path / (formats[place - 1] if place else "first")
        convert("--input", before, "--output", tmp_path / to, "--to", to)
    assert files_of(tmp_path / "effuse") == files_of(tmp_path / "first")


def test_the_safetensors_package_reads_what_is_written(workplace, tmp_path):
    convert("--input", workplace / "runs/tiny", "--output", tmp_path / "a.safetensors")
    expected = load_file(last_checkpoint(workplace / "runs/tiny") / "ema.safetensors")
    read = load_file(tmp_path / "a.safetensors")
    assert read.keys() == expected.keys()
    assert all(np.array_equal(read[name], expected[name]) for name in read)
    with safe_open(tmp_path / "a.safetensors", "np") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt" and json.loads(metadata["effuse"])["class_names"] == ["cat", "dog"]


def test_check_writes_nothing(workplace, tmp_path):
    said = convert("--input", workplace / "runs/tiny", "--output", tmp_path / "out", "--check")
    assert "ok: can be written to" in said and os.listdir(tmp_path) == []


def test_nothing_is_overwritten(workplace, tmp_path):
    (tmp_path / "kept").write_text("kept")
    for check in ((), ("--check",)):
        said = convert("--input", workplace / "runs/tiny", "--output", tmp_path / "kept", *check, code=2)
        assert "exists already, and nothing is overwritten" in said
    assert (tmp_path / "kept").read_text() == "kept" and os.listdir(tmp_path) == ["kept"]


@pytest.mark.parametrize("arguments, messages", [
    (("--output", "x"), ("convert.input is not set", "--input PATH")),
    (("--input", "."), ("convert.output is not set", "--output PATH")),
    (("--input", ".", "--output", "x", "--to", "onnx"), ("convert.to", "onnx")),
    (("--input", ".", "--output", "x", "--from", "keras"), ("convert.from", "keras")),
    (("--input", ".", "--output", "x", "--weights", "best"), ("convert.weights", "best")),
])
def test_bad_settings(arguments, messages):
    said = convert(*arguments, code=2)
    assert all(message in said for message in messages), said


@pytest.mark.parametrize("key", ["diffusion.schedule=linear", "convert.act_fn=gelu", "convert.sample_size=16"])
def test_what_the_input_says_itself_cannot_be_said_otherwise(workplace, tmp_path, key):
    said = convert("--input", workplace / "runs/tiny", "--output", tmp_path / "out", "--set", key, code=2)
    assert f"{key.split('=')[0]} is for .pt files of IDDM" in said and not (tmp_path / "out").exists()


def test_more_than_one_process_is_refused(workplace, tmp_path):
    said = convert("--input", workplace / "runs/tiny", "--output", tmp_path / "out", ranks=2, code=2)
    assert "effuse-convert is one process" in said and os.listdir(tmp_path) == []


def test_a_network_or_schedule_that_diffusers_lacks_is_not_written_for_it(workplace, tmp_path):
    train(workplace, "clipped", **{"run.steps": 1, "diffusion.min_alpha_bar": 0.001})
    said = convert("--input", workplace / "runs/clipped", "--output", tmp_path / "a", "--to", "diffusers", code=2)
    assert "none that diffusers has" in said
    train(workplace, "iddm", **{"run.steps": 1, "model.name": "unet", "model.channels": "[8, 8, 8, 8]"})
    said = convert("--input", workplace / "runs/iddm", "--output", tmp_path / "a", "--to", "diffusers", code=2)
    assert "diffusers has no network like unet" in said and os.listdir(tmp_path) == []
    convert("--input", workplace / "runs/iddm", "--output", tmp_path / "a")


def test_training_begins_from_weights_that_fit(workplace, tmp_path):
    """With a learning rate of 0, the weights and their average stay what they began as."""
    source = last_checkpoint(workplace / "runs/tiny") / "ema.safetensors"
    said = train(workplace, "whole", ranks=2, **{
        "run.steps": 1, "optimizer.lr": 0, "model.pretrained": workplace / "runs/tiny"})
    expected = load_file(source)
    assert f"{len(expected)} tensors from {workplace}/runs/tiny, 0 that do not fit" in said
    for file in ("model.safetensors", "ema.safetensors"):
        begun = load_file(last_checkpoint(workplace / "runs/whole") / file)
        assert all(np.array_equal(begun[name], expected[name]) for name in expected)


def test_training_lists_the_weights_that_do_not_fit(workplace):
    said = train(workplace, "partial", **{
        "run.steps": 1, "optimizer.lr": 0, "model.block_out_channels": "[8, 16]",
        "model.pretrained": last_checkpoint(workplace / "runs/tiny") / "model.safetensors"})
    log = (workplace / "runs/partial/logs/rank-0000.log").read_text()
    for text in (said, log):
        assert "shape [8, 8] instead of [16, 16] for down_blocks.1.attentions.0.to_q.weight" in text
        assert "and 60 more, which the run's logs list" in text
    given = load_file(last_checkpoint(workplace / "runs/tiny") / "model.safetensors")
    begun = load_file(last_checkpoint(workplace / "runs/partial") / "model.safetensors")
    assert np.array_equal(begun["conv_in.weight"], given["conv_in.weight"])


def test_a_run_that_continues_does_not_begin_again(workplace):
    settings = {"model.pretrained": workplace / "runs/tiny"}
    assert "pretrained" in train(workplace, "longer", **settings, **{"run.steps": 5})
    said = train(workplace, "longer", **settings, **{"run.steps": 10})
    assert "continuing after step 5" in said and "that do not fit" not in said


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_weights_of_which_nothing_fits_are_an_error(workplace, check):
    settings = {"run.steps": 1, "model.block_out_channels": "[16, 16]", "model.in_channels": 3,
                "model.layers_per_block": 1, "model.name": "unet2d", "model.norm_num_groups": 16}
    train(workplace, "other", **{"run.steps": 1, "model.name": "unet", "model.channels": "[8, 8, 8, 8]"})
    said = train(workplace, "none", *check, code=2, **settings,
                 **{"model.pretrained": workplace / "runs/other"})
    assert "nothing in" in said and "fits the network by name and shape" in said and "more" in said
    said = train(workplace, "none", *check, code=1, **settings, **{"model.pretrained": workplace / "no"})
    assert f"{workplace}/no does not exist" in said
