"""Which images effuse-sample makes and into what: ranges and parts, classes, sizes, formats, and the record of a set."""

import json
import pathlib
import re
import shutil
import signal
import subprocess

import h5py
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from programs import (BIN, environment, make_config, make_dataset, make_images, run, start, wait_until)

SMALL = ("--device", "cpu", "--tile", 4, "--steps", 4, "--set", "parallel.threads=1", "--set", "metrics.exporter=false")
NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"
NAMES = ["cat", "dog", "eel"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The run folder of a tiny model of three classes, trained on 40 images of which 14 are cats, 13 dogs, 13 eels."""
    folder = tmp_path_factory.mktemp("sets")
    make_dataset(folder / "packed", classes=3)
    trained = run("effuse-train", "--config", make_config(folder))
    assert trained.returncode == 0, trained.stderr
    return folder / "runs/tiny"


def sample(model, output, *arguments, ranks=0):
    return run("effuse-sample", "--weights", model, "--output", output, *SMALL, *arguments, ranks=ranks)


def make(model, output, *arguments, ranks=0):
    made = sample(model, output, *arguments, ranks=ranks)
    assert made.returncode == 0, made.stderr
    return output


def images(folder):
    return {path.name: path.read_bytes() for path in folder.glob("images/*/*")}


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def record(folder):
    return json.loads((folder / "samples.json").read_text())


@pytest.fixture(scope="module")
def thirty(model, tmp_path_factory):
    return make(model, tmp_path_factory.mktemp("thirty") / "out", "--number", 30)


# Which images ------------------------------------------------------------------------------------------------------

def test_a_range_holds_the_same_images_as_the_whole(model, thirty, tmp_path):
    folder = make(model, tmp_path / "range", "--seeds", "9-22", ranks=2)  # begins and ends in mid-tile
    assert images(folder) == {f"{i:08d}.png": images(thirty)[f"{i:08d}.png"] for i in range(9, 23)}
    assert record(folder)["seeds"] == "9-22" and record(folder)["number"] == 14
    assert record(folder)["complete"]
    assert make(model, folder, "--seeds", "9-25") and len(images(folder)) == 17
    refused = sample(model, folder, "--seeds", "8-25")
    assert refused.returncode == 2 and "was begun with other images: 9-25 (17)" in refused.stderr
    for seeds in (7, "some"):
        (folder / "samples.json").write_text(json.dumps(record(folder) | {"seeds": seeds}))
        refused = sample(model, folder, "--seeds", "9-25")
        assert refused.returncode == 2 and '("seeds" is damaged)' in refused.stderr, refused.stderr


def test_images_have_numbers_of_eight_digits(model, tmp_path):
    folder = make(model, tmp_path / "last", "--seeds", "99999998-99999999")
    assert sorted(images(folder)) == ["99999998.png", "99999999.png"]
    for words in (("--number", 999999999999999), ("--seeds", "0-100000000")):
        refused = sample(model, tmp_path / "out", *words)
        assert refused.returncode == 2 and not (tmp_path / "out").exists(), refused.stderr
        assert re.search("at most 100000000|from 0 to 99999999", refused.stderr), refused.stderr


def test_a_range_has_the_classes_of_the_whole(model, tmp_path):
    for name, which in (("all", "0-6"), ("some", "2-6")):
        make(model, tmp_path / name, "--seeds", which, "--format", "npz", "--classes", "eel,cat")
    whole, some = (np.load(tmp_path / name / "images.npz") for name in ("all", "some"))
    assert whole["arr_1"].tolist() == [2, 0, 2, 0, 2, 0, 2]
    assert np.array_equal(whole["arr_0"][2:], some["arr_0"]) and np.array_equal(whole["arr_1"][2:], some["arr_1"])


@pytest.mark.parametrize("kind", ["png", "h5"])
def test_parts_at_once_and_in_any_order_make_the_set(model, tmp_path, kind):
    """30 images are 8 tiles: of 3 parts, on 1 and 2 ranks. Two parts run at the same time."""
    whole = make(model, tmp_path / "whole", "--number", 30, "--format", kind)
    folder = tmp_path / "parts"
    common = ("--weights", model, "--output", folder, "--number", 30, "--format", kind, *SMALL)
    first = sample(model, folder, "--number", 30, "--format", kind, "--part", "3/3", ranks=2)
    assert first.returncode == 0, first.stderr
    assert "the set is complete once all parts are" in first.stderr
    assert not record(folder)["complete"] and not (folder / "grid.png").exists()
    jobs = [start("effuse-sample", *common, "--part", part) for part in ("1/3", "2/3")]
    for job in jobs:
        messages, _ = job.communicate(timeout=100)
        assert job.returncode == 0, messages
    assert tree(folder) == tree(whole)


def test_more_parts_than_tiles(model, tmp_path):
    folder = tmp_path / "out"
    for part in range(1, 6):
        make(model, folder, "--number", 9, "--part", f"{part}/5")
    assert len(images(folder)) == 9 and record(folder)["complete"]


def test_one_part_is_made_by_one_job_at_a_time(model, tmp_path):
    folder = tmp_path / "out"
    settings = ("--number", 100000, "--part", "1/2")
    job = start("effuse-sample", "--weights", model, "--output", folder, *SMALL, *settings)
    wait_until((folder / "images/00000/00000000.png").exists, job)
    refused = sample(model, folder, *settings)
    cut_otherwise = sample(model, folder, "--number", 100000, "--part", "1/3")
    job.send_signal(signal.SIGUSR1)
    messages, _ = job.communicate(timeout=100)
    assert job.returncode == 75, messages
    assert refused.returncode == 2 and f"part 1/2 of {folder} is in use by effuse-sample" in refused.stderr
    assert cut_otherwise.returncode == 2 and "cut into another number of parts, is in use by" in cut_otherwise.stderr


# Classes -----------------------------------------------------------------------------------------------------------

def labels(model, folder, *arguments):
    make(model, folder, "--format", "npz", *arguments)
    return np.load(folder / "images.npz")["arr_1"].tolist()


def test_classes(model, tmp_path):
    assert labels(model, tmp_path / "all", "--number", 7) == [0, 1, 2, 0, 1, 2, 0]
    assert labels(model, tmp_path / "one", "--number", 3, "--classes", "dog") == [1, 1, 1]
    listed = tmp_path / "classes.txt"
    listed.write_text("eel\n0\neel\ndog\n")
    assert labels(model, tmp_path / "file", "--classes-file", listed) == [2, 0, 2, 1]
    assert labels(model, tmp_path / "longer", "--classes-file", listed, "--seeds", "3-6") == [1, 2, 0, 2]


def test_the_histogram_of_the_training_set(model, tmp_path):
    made = labels(model, tmp_path / "a", "--number", 40, "--classes", "histogram")
    assert [made.count(k) for k in range(3)] == [14, 13, 13]
    assert [made[:9].count(k) for k in range(3)] == [3, 3, 3]
    assert record(tmp_path / "a")["class_counts"] == [14, 13, 13] and record(tmp_path / "a")["classes"] == []
    part = labels(model, tmp_path / "b", "--seeds", "10-19", "--classes", "histogram", "--dataset",
                  model.parents[1] / "packed")
    assert part == made[10:20]
    more = labels(model, tmp_path / "a", "--number", 44, "--classes", "histogram")
    assert more == made + made[:4]
    make_dataset(tmp_path / "other", classes=3, count=9)
    refused = sample(model, tmp_path / "c", "--classes", "histogram", "--dataset", tmp_path / "other")
    assert refused.returncode == 3 and "is not the data set the model was trained on" in refused.stderr


# Size --------------------------------------------------------------------------------------------------------------

def test_other_sizes_than_that_of_training(model, tmp_path):
    folder = make(model, tmp_path / "out", "--number", 5, "--size", "12x16", ranks=2)
    with Image.open(folder / "images/00000/00000004.png") as image:
        assert image.size == (12, 16)
    assert record(folder)["size"] == "12x16"
    refused = sample(model, folder, "--number", 5)
    assert refused.returncode == 2 and "holds images made with other settings: size" in refused.stderr


# Formats -----------------------------------------------------------------------------------------------------------

def test_formats_of_image_files(model, thirty, tmp_path):
    plain = np.asarray(Image.open(thirty / "images/00000/00000003.png")).astype(int)
    sizes = {}
    for kind, ending, quality in (("jpeg", "jpg", 95), ("jpeg", "jpg", 20), ("webp", "webp", 95)):
        folder = make(model, tmp_path / f"{kind}-{quality}", "--number", 6, "--format", kind, "--quality", quality)
        assert sorted(images(folder)) == [f"{i:08d}.{ending}" for i in range(6)]
        sizes[kind, quality] = sum(map(len, images(folder).values()))
        with Image.open(folder / f"images/00000/00000003.{ending}") as image:
            assert image.format == kind.upper() and image.mode == "RGB"
            if (kind, quality) == ("jpeg", 95):
                assert np.abs(np.asarray(image).astype(int) - plain).mean() < 8
        damaged = folder / f"images/00000/00000002.{ending}"
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:len(whole) // 2])
        again = sample(model, folder, "--number", 6, "--format", kind, "--quality", quality)
        assert again.returncode == 0 and "is made again" in again.stderr
        assert damaged.read_bytes() == whole
    assert sizes["jpeg", 20] < sizes["jpeg", 95]


def pixels_of(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("images/*/*"))])


def test_npz_and_safetensors_hold_the_same_images(model, thirty, tmp_path):
    npz = np.load(make(model, tmp_path / "npz", "--number", 30, "--format", "npz", ranks=3) / "images.npz")
    assert npz["arr_0"].dtype == np.uint8 and npz["arr_1"].dtype == np.int64
    assert np.array_equal(npz["arr_0"], pixels_of(thirty))
    floats = load_file(make(model, tmp_path / "st", "--number", 30, "--format", "safetensors") / "images.safetensors")
    levels = np.clip(np.floor(floats["images"] * np.float32(127.5) + np.float32(128)), 0, 255)
    assert np.array_equal(levels.astype(np.uint8).transpose(0, 2, 3, 1), pixels_of(thirty))
    for name in ("npz", "st"):
        assert (tmp_path / name / "grid.png").read_bytes() == (thirty / "grid.png").read_bytes()


def test_h5_is_a_packed_data_set_that_can_be_trained_on(model, thirty, tmp_path):
    folder = make(model, tmp_path / "h5", "--number", 30, "--format", "h5", ranks=2)
    verified = run("effuse-inspect", "--dataset", folder, "--verify")
    assert verified.returncode == 0, verified.stderr
    with h5py.File(folder / "shard-00000.h5") as shard:
        assert np.array_equal(shard["images"][:], pixels_of(thirty))
        assert shard["labels"][:].tolist() == [i % 3 for i in range(30)]
    (tmp_path / "again").mkdir()
    trained = run("effuse-train", "--config", make_config(tmp_path / "again"), "--set", f"data.folder={folder}",
                  "--set", "run.steps=2")
    assert trained.returncode == 0, trained.stderr


def test_a_folder_of_generated_files_can_be_packed(model, tmp_path):
    folder = make(model, tmp_path / "out", "--number", 5, "--format", "webp")
    packed = run("effuse-pack", "--input", folder / "images", "--output", tmp_path / "packed", "--image-size", 8)
    assert packed.returncode == 0, packed.stderr


# The record --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [
    ("--seeds", "3-12", "--guidance", 1.5, "--seed", 4, "--classes", "eel,1", "--sampler", "ddpm", "--size", "8x12",
     "--set", "sampling.variance=fixed_large"),
    ("--number", 9, "--format", "jpeg", "--quality", 80, "--classes", "histogram", "--eta", 0.5, "--weights-kind", "model",
     "--set", "sampling.spacing=leading", "--set", "sampling.clip=false")])
def test_a_set_can_be_made_again_from_its_record(model, tmp_path, settings):
    first = make(model, tmp_path / "first", *settings, ranks=2)
    said = record(first)
    known = run("effuse-sample", "--print-config").stdout
    keys = [key for key in said if f"\n{key} = " in known and key not in ("number", "classes")]
    assert {"weights", "seeds", "size", "sampler", "steps", "tile", "guidance", "compute"} <= set(keys)
    words = [word for key in keys for word in ("--set", f"sampling.{key}={json.dumps(said[key])}")]
    classes = "histogram" if said["class_counts"] else ",".join(map(str, said["classes"]))
    again = tmp_path / "again"
    made = run("effuse-sample", *words, "--classes", classes, "--output", again, "--device", "cpu", "--set",
               "parallel.threads=1")
    assert made.returncode == 0, made.stderr
    assert tree(again) == tree(first)
    assert set(said["made_by"]) == {"effuse", "revision", "libtorch", "device"}


# Bad requests ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings, message", [
    (("--seeds", "5-3"), "must be FIRST-LAST"),
    (("--seeds", "0-9", "--number", 9), "are 10 images, but sampling.number is 9"),
    (("--part", "0/4"), "must be I/N"),
    (("--part", "5/4"), "must be I/N"),
    (("--size", "9"), "must be multiples of 2. The nearest is 10x10"),
    (("--size", "0x8"), "must be SIDE or WIDTHxHEIGHT"),
    (("--quality", 80), "sampling.quality is of jpeg and webp"),
    (("--dataset", "somewhere"), 'for sampling.classes = ["histogram"] alone'),
    (("--classes", "cat", "--classes-file", "none"), "each say the classes"),
    (("--classes-file", "none"), "cannot be read"),
    (("--format", "gif"), "must be one of png, jpeg, webp, h5, npz, safetensors"),
])
def test_bad_requests(model, tmp_path, settings, message):
    refused = sample(model, tmp_path / "out", *settings)
    assert refused.returncode == 2 and message in refused.stderr, refused.stderr
    assert not (tmp_path / "out").exists()


def test_check_finds_a_bad_request(model, tmp_path):
    refused = sample(model, tmp_path / "out", "--size", 9, "--check")
    assert refused.returncode == 2 and "must be multiples of 2" in refused.stderr, refused.stderr


def test_a_model_without_classes(tmp_path):
    make_images(tmp_path / "images", classes=1)
    packed = run("effuse-pack", "--input", tmp_path / "images/cat", "--output", tmp_path / "packed", "--image-size", 8)
    assert packed.returncode == 0, packed.stderr
    trained = run("effuse-train", "--config", make_config(tmp_path), "--set", "run.steps=1")
    assert trained.returncode == 0, trained.stderr
    model = tmp_path / "runs/tiny"
    assert list(np.load(make(model, tmp_path / "npz", "--number", 3, "--format", "npz") / "images.npz")) == ["arr_0"]
    refused = sample(model, tmp_path / "out", "--classes", "histogram")
    assert refused.returncode == 2 and "the model was trained without any" in refused.stderr


def test_a_rank_that_cannot_write_ends_all_in_order(model, tmp_path):
    folder = make(model, tmp_path / "out", "--number", 4)
    shutil.rmtree(folder / "images")
    (folder / "images").write_text("in the way")
    failed = sample(model, folder, "--number", 4, ranks=2)
    assert failed.returncode == 1 and "rank 0" in failed.stderr and "images/00000" in failed.stderr
    assert not record(folder)["complete"]


def address_space_kib(model, folder):
    """What effuse-sample takes, at most, for a small tile."""
    job = start("effuse-sample", "--weights", model, "--output", folder, *SMALL, "--number", 100000, ranks=0)
    wait_until((folder / "images/00000/00000000.png").exists, job)
    peak = re.search(r"VmPeak:\s+(\d+)", pathlib.Path(f"/proc/{job.pid}/status").read_text())
    job.send_signal(signal.SIGUSR1)
    job.communicate(timeout=100)
    return int(peak[1])


def test_out_of_memory_is_answered_with_the_tile_that_fits(model, tmp_path, monkeypatch):
    # Each thread that happens to allocate would otherwise reserve 64 MiB of addresses.
    monkeypatch.setattr("programs.VARIABLES", {"MALLOC_ARENA_MAX": "1"})
    limit = address_space_kib(model, tmp_path / "small") + 200 * 1024

    def limited(folder, *arguments):
        words = ["effuse-sample", "--weights", model, "--output", folder, *SMALL, "--size", 32, "--steps", 1, *arguments]
        return subprocess.run(["bash", "-c", 'ulimit -v "$1" && shift && exec "$@"', "-", str(limit),
                               str(BIN / words[0]), *map(str, words[1:])],
                              capture_output=True, text=True, timeout=100, env=environment())

    failed = limited(tmp_path / "out", "--number", 1, "--tile", 1024)
    assert failed.returncode == 1, failed.stderr
    assert "out of memory: a tile of 1024 images of 32x32 pixels does not fit" in failed.stderr
    fitting = re.search(r"sampling\.tile=(\d+) ", failed.stderr)[1]
    assert 1 <= int(fitting) < 1024
    scored = limited(tmp_path / "scored", "--number", 2, "--tile", 1024, "--evaluate", model.parents[1] / "packed",
                     "--set", f"evaluation.network={NETWORK}")
    assert scored.returncode == 1, scored.stderr
    assert "out of memory: a tile of 1024 images of 32x32 pixels does not fit" in scored.stderr
    made = limited(tmp_path / "fits", "--number", 1, "--tile", fitting)
    assert made.returncode == 0, made.stderr
