"""The batch scripts for packing, sampling and scoring on a real cluster: killed and requeued, they go on where they were."""

import json
import os

import pytest
from PIL import Image

from workplace import TWO_NODES, Gate, files_of, make_images, run, waves, write_folder


@pytest.fixture(scope="module")
def model(place):
    """The run folder of a trained model."""
    return place.uninterrupted("model", 3, ranks=1)


def make_slow_images(folder):
    """Three classes, of which the last two end with large images that take seconds to be read."""
    large = folder.parent / "large.png"
    Image.new("RGB", (6000, 6000), "grey").save(large, compress_level=1)
    make_images(folder, classes=3, size=64, count=120)  # cat, dog, eel
    for name in ("dog", "eel"):
        for number in range(5):
            os.link(large, folder / name / f"z{number}.png")


def test_a_data_set_is_packed_by_an_array_of_which_elements_are_stopped(place, cluster):
    make_slow_images(place.folder / "many")
    words = ("--input", place.folder / "many", "--image-size", "192", "--shard-size-mib", "1")
    job = place.submit("pack", "tiny.toml", *words, "--output", "parts", options=("--array=1-3",))

    def has_a_shard(part):
        file = place.folder / f"parts/part-0000{part}-of-00003.json"
        return file.exists() and json.loads(file.read_text())["shards"]

    def requeued(element):
        return cluster.job(f"{job}_{element}").get("Restarts") == "1"

    cluster.wait("part 2 has a shard", lambda: has_a_shard(2))
    cluster.run("scontrol", "requeue", f"{job}_2")
    cluster.wait("part 3 has a shard", lambda: has_a_shard(3))
    cluster.run("scancel", "--batch", "--signal=USR1", f"{job}_3")  # it requeues itself
    for element in (2, 3):
        cluster.wait(f"element {element} was requeued", lambda: requeued(element))
        cluster.start_again(f"{job}_{element}")
    for element in (1, 2, 3):
        place.finished(f"{job}_{element}")
    assert not requeued(1)
    assert "back into the queue" in place.log(f"{job}_3")
    for element in (2, 3):
        assert "stopped by SIG" in place.log(f"{job}_{element}"), place.log(f"{job}_{element}")
    whole = run("effuse-pack", *words, "--output", place.folder / "whole")
    assert whole.returncode == 0, whole.stderr
    assert files_of(place.folder / "parts") == files_of(place.folder / "whole")


def test_single_elements_need_to_know_how_many_there_are(place):
    job = place.submit("pack", "tiny.toml", options=("--array=2",))
    log = place.failed(f"{job}_2", code=2)
    assert "EFFUSE_PARTS=N" in log


def test_samples_are_made_once_each(place, cluster, model):
    words = ("--weights", model, "--number", "600", "--steps", "10", "--tile", "8", "--format", "npz")
    job = place.submit("sample", "tiny.toml", *words, "--output", "samples", options=TWO_NODES)
    tiles = place.folder / "samples/tiles"
    cluster.wait("some tiles are there", lambda: tiles.is_dir() and len(list(tiles.iterdir())) > 5)
    cluster.run("scontrol", "requeue", job)
    cluster.wait_for_state(job, "PENDING")
    made = len(list(tiles.iterdir()))
    assert 5 < made < 75
    cluster.start_again(job)
    place.finished(job)
    straight = run("effuse-sample", "--config", place.folder / "tiny.toml", *words, "--output", place.folder / "straight",
                   ranks=2)
    assert straight.returncode == 0, straight.stderr
    assert files_of(place.folder / "samples") == files_of(place.folder / "straight")


def test_restarts_in_which_nothing_is_made_come_to_an_end(place, cluster, model):
    words = ("--weights", model, "--number", "4000", "--tile", "4000", "--steps", "20", "--output", "one-tile")
    job = place.submit("sample", "tiny.toml", *words, options=("--ntasks-per-node=1",))
    counter = place.folder / f".one-tile.restarts-{job}"
    for restarts in range(3):  # the first attempt writes samples.json
        if restarts > 0:
            cluster.start_again(job, restarts)
        cluster.wait("it has begun to sample", lambda: place.log(job).count("sampling") > restarts)
        write_folder(place.folder / f"one-tile-{restarts}", waves(1, 1))  # which is another one
        if restarts == 1:
            count, made = counter.read_text().split()
            assert count == "0"
            counter.write_text(f"2 {made}\n")  # spares two restarts
        cluster.run("scancel", "--batch", "--signal=USR1", job)
    record = cluster.wait_for_end(job)
    assert (record["JobState"], record["ExitCode"], record["Restarts"]) == ("FAILED", "1:0", "2")
    assert not counter.exists()
    assert "three restarts have brought nothing new in one-tile:" in place.log(job)


def test_samples_of_an_array(place, model):
    words = ("--weights", model, "--number", "40", "--steps", "5", "--tile", "8")
    job = place.submit("sample", "tiny.toml", *words, "--output", "array", options=("--array=1-2", "--ntasks-per-node=1"))
    for element in (1, 2):
        place.finished(f"{job}_{element}")
    assert len(list((place.folder / "array").rglob("*.png"))) == 41  # with the grid
    assert json.loads((place.folder / "array/samples.json").read_text())["complete"] is True


def test_features_are_computed_once_each(place, cluster):
    images = waves(2, 14)
    images[9] = 255  # the network waits for its gate at this one
    gate, made = Gate(place.folder), write_folder(place.folder / "made", images)
    words = ("--network", gate.network, "--images", made, "--reference", write_folder(place.folder / "real", waves(1, 10)),
             "--metrics", "fid,kid", "--kid-subset-size", "8", "--tile", "2")
    gate.shut()
    job = place.submit("evaluate", "tiny.toml", *words, "--output", "score.json", options=("--ntasks-per-node=2",))
    cluster.wait("all features but those of one rank are kept",
                 lambda: len(list((place.folder / "score.json.parts").glob("*/[0-9]*.npz"))) == 8)
    cluster.run("scontrol", "requeue", job)
    cluster.wait_for_state(job, "PENDING")
    gate.open()
    cluster.start_again(job)
    place.finished(job)
    assert "the features of 10 of 10 images were kept" in place.log(job)
    assert "the features of 6 of 14 images were kept" in place.log(job)
    straight = run("effuse-evaluate", "--config", place.folder / "tiny.toml", *words, "--output",
                   place.folder / "straight.json", ranks=2)
    assert straight.returncode == 0, straight.stderr
    assert (place.folder / "score.json").read_bytes() == (place.folder / "straight.json").read_bytes()
