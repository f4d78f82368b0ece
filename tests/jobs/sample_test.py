"""effuse-sample from outside: images depend on weights, settings, seed and their number alone."""

import json
import shutil
import signal

import pytest
from PIL import Image
from safetensors import safe_open

from programs import ending, last_checkpoint, make_config, make_dataset, run, start, wait_until

NUMBER = 11
SMALL = ("--device", "cpu", "--tile", 2, "--set", "parallel.threads=1")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The run folder of a tiny model of three classes."""
    folder = tmp_path_factory.mktemp("sample")
    make_dataset(folder / "packed", classes=3)
    trained = run("effuse-train", "--config", make_config(folder))
    assert trained.returncode == 0, trained.stderr
    return folder / "runs/tiny"


def sample(model, output, *arguments, ranks=0):
    return run("effuse-sample", "--weights", model, "--output", output, "--number", NUMBER,
               "--steps", 4, *SMALL, *arguments, ranks=ranks)


def images(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("images/*/*.png"))}


@pytest.fixture(scope="module")
def alone(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "out"
    made = sample(model, folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_a_set_is_whole_and_says_what_it_is(model, alone):
    assert list(images(alone)) == [f"{i:08d}.png" for i in range(NUMBER)]
    assert len(set(images(alone).values())) == NUMBER
    with Image.open(alone / "images/00000/00000003.png") as image:
        assert image.size == (8, 8) and image.mode == "RGB"
    record = json.loads((alone / "samples.json").read_text())
    assert record["complete"] and record["number"] == NUMBER and record["tile"] == 2
    assert record["class_names"] == ["cat", "dog", "eel"] and record["classes"] == [0, 1, 2]
    assert record["weights_step"] == 20
    with Image.open(alone / "grid.png") as grid:
        assert grid.width > 3 * 8


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_the_same_bytes_at_any_number_of_ranks(model, alone, tmp_path, sampler, ranks):
    settings = ("--sampler", sampler) if sampler == "ddpm" else ()
    expected = alone
    if settings:
        expected = tmp_path / "alone"
        assert sample(model, expected, *settings).returncode == 0
        assert images(expected) != images(alone)
    split = sample(model, tmp_path / "split", *settings, ranks=ranks)
    assert split.returncode == 0, split.stderr
    assert images(tmp_path / "split") == images(expected)
    assert (tmp_path / "split/grid.png").read_bytes() == (expected / "grid.png").read_bytes()


def test_a_set_with_gaps_is_completed_to_the_same_bytes(model, alone, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(alone, folder)
    kept = folder / "images/00000/00000006.png"
    before = kept.stat().st_mtime_ns
    for number in (0, 5, 10):
        (folder / f"images/00000/{number:08d}.png").unlink()
    assert sample(model, folder, ranks=2).returncode == 0
    assert images(folder) == images(alone)
    assert kept.stat().st_mtime_ns == before


def test_more_images_keep_the_first_ones(model, alone, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(alone, folder)
    assert sample(model, folder, "--number", 15, "--outcome", folder / "outcome.json").returncode == 0
    assert ending(folder) == ("done", 0, 1)
    more = images(folder)
    assert len(more) == 15 and images(alone).items() <= more.items()


def test_other_settings_into_the_same_folder_are_refused(model, alone, tmp_path):
    before = images(alone)
    for settings, name in ((("--seed", 5), "seed"), (("--guidance", 1), "guidance"),
                           (("--weights-kind", "model"), "weights_kind")):
        other = sample(model, alone, *settings, "--outcome", tmp_path / "outcome.json")
        assert other.returncode == 2, other.stderr
        assert "holds images made with other settings:" in other.stderr and name in other.stderr
        assert ending(tmp_path)[:2] == ("bad configuration", 2)
    assert images(alone) == before


def test_classes_seed_and_weights_matter(model, alone, tmp_path):
    sets = [images(alone)]
    for i, settings in enumerate([("--classes", '["dog"]'), ("--seed", 5),
                                  ("--weights-kind", "model"), ("--eta", 1)]):
        made = sample(model, tmp_path / str(i), *settings)
        assert made.returncode == 0, made.stderr
        sets.append(images(tmp_path / str(i)))
    assert all(a != b for i, a in enumerate(sets) for b in sets[:i])


def test_a_checkpoint_folder_serves_as_weights(model, alone, tmp_path):
    made = sample(last_checkpoint(model), tmp_path / "out")
    assert made.returncode == 0, made.stderr
    assert images(tmp_path / "out") == images(alone)


def test_a_stop_signal_leaves_whole_images_and_the_set_is_completed(model, alone, tmp_path):
    folder = tmp_path / "out"
    settings = ("--weights", model, "--output", folder, "--number", 100000, "--steps", 4, *SMALL, "--outcome",
                tmp_path / "outcome.json")
    job = start("effuse-sample", *settings, ranks=2)
    # The ranks go round by round: that a later round has begun means that the first images are there.
    wait_until((folder / "images/00000/00000040.png").exists, job)
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate()
    assert job.returncode == 75, messages
    assert ending(tmp_path) == ("stopped", 75, 1)
    for path in folder.glob("images/*/*"):
        assert path.suffix == ".png" and path.name[0] != "."
        with Image.open(path) as image:
            image.load()
    made = images(folder)
    assert images(alone).items() <= made.items() and len(made) < 100000
    assert not json.loads((folder / "samples.json").read_text())["complete"]


def test_the_safetensors_package_reads_the_weights(model):
    with safe_open(last_checkpoint(model) / "model.safetensors", framework="numpy") as file:
        names = set(file.keys())
        assert {"conv_in.weight", "time_embedding.linear_1.weight", "conv_out.bias"} <= names
        assert file.get_tensor("conv_in.weight").shape == (8, 3, 3, 3)
        assert file.get_tensor("class_embedding.weight").shape[0] == 4


def test_bad_requests(model, tmp_path):
    for settings, code, message in (
            (("--classes", '["dgo"]'), 2, "Did you mean dog?"),
            (("--steps", 21), 2, "the model has 20 time steps"),
            (("--sampler", "dppm"), 2, "ddpm"),
            (("--weights", tmp_path / "none"), 1, "none"),
            (("--weights", ""), 2, "sampling.weights is not set")):
        for last in ((), ("--check",)):
            refused = sample(model, tmp_path / "out", *settings, *last)
            assert refused.returncode == code and message in refused.stderr, refused.stderr
            assert not (tmp_path / "out").exists()


def test_a_damaged_image_is_made_again(model, alone, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(alone, folder)
    damaged = [folder / f"images/00000/{number:08d}.png" for number in (3, 9)]
    damaged[0].write_bytes(damaged[0].read_bytes()[:40])
    damaged[1].write_bytes(b"")
    again = sample(model, folder, ranks=2)
    assert again.returncode == 0, again.stderr
    for file in damaged:
        assert f"{file} is made again" in again.stderr, again.stderr
    assert images(folder) == images(alone)


@pytest.mark.parametrize("last", [(), ("--check",)])
def test_a_place_for_a_set_that_cannot_be_is_refused(model, tmp_path, last):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "holiday/beach").mkdir(parents=True)
    (tmp_path / "holiday/beach/1.jpg").write_bytes(b"a picture")
    for output, words in (("file", "cannot be written"), ("file/deeper", "cannot be written"),
                          ("holiday", "holds other work"), (model, "holds other work")):
        refused = sample(model, tmp_path / output, *last)
        assert refused.returncode == 2 and words in refused.stderr and str(output) in refused.stderr, refused.stderr
    assert not (tmp_path / "holiday/samples.json").exists()


def test_check_looks_at_what_is_there(model, alone):
    assert sample(model, alone, "--check").returncode == 0
    for last in ((), ("--check",)):
        refused = sample(model, alone, "--seed", 9, *last)
        assert refused.returncode == 2 and "holds images made with other settings: seed" in refused.stderr


def test_ddpm_has_no_eta(model, tmp_path):
    refused = sample(model, tmp_path / "out", "--sampler", "ddpm", "--eta", 0.5)
    assert refused.returncode == 2 and "ddpm has no eta" in refused.stderr
    assert not (tmp_path / "out").exists()
