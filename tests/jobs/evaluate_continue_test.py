"""effuse-evaluate goes on where it was stopped or killed, and computes nothing twice."""

import json
import os
import pathlib
import shutil
import signal

import pytest

from gated_network import Gate
from image_sets import waves, write_folder
from programs import TIMEOUT_S, ending, kill_all, run, start, wait_until

NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"
KEPT = [f"{folder}/{tile:08d}.npz" for folder, tiles in (("images", (0, 1, 3)), ("reference", range(5))) for tile in tiles]


class Place:
    """Two sets of images, 5 and 7 tiles of two, of which the network waits at tile 4 of the second."""

    def __init__(self, folder):
        self.gate = Gate(folder)
        images = waves(2, 14)
        images[9] = 255
        self.made, self.real = write_folder(folder / "made", images), write_folder(folder / "real", waves(1, 10))

    def arguments(self, output, network=None, real=None):
        return ("--network", network or self.gate.network, "--images", self.made, "--reference", real or self.real,
                "--metrics", "fid,kid", "--kid-subset-size", 8, "--tile", 2, "--device", "cpu", "--set",
                "parallel.threads=1", "--output", output)


def parts(output):
    return output.with_name(output.name + ".parts")


def kept_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/[0-9]*.npz"))


def finish(place, output, ranks=0, **inputs):
    """What the job says."""
    done = run("effuse-evaluate", *place.arguments(output, **inputs), ranks=ranks)
    assert done.returncode == 0, done.stderr
    assert not parts(output).exists() and not list(output.parent.glob(".*"))
    return done.stderr


def results(output):
    return output.read_bytes(), output.with_suffix(".png").read_bytes()


def found(of_reference, of_images):
    """What a job says of features that were kept."""
    return [f"the features of {there} of {count} images were kept" for there, count in ((of_reference, 10), (of_images, 14))]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("continue"))


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """The result of a job of two ranks that was left alone."""
    output = tmp_path_factory.mktemp("whole") / "r.json"
    assert "were kept" not in finish(place, output, ranks=2)
    return output


@pytest.fixture(scope="module")
def killed(place, whole, tmp_path_factory):  # pylint: disable=unused-argument
    """The work folder of a job of two ranks that was killed while one of them waited and the other had gone on."""
    output = tmp_path_factory.mktemp("killed") / "r.json"
    place.gate.shut()
    job = start("effuse-evaluate", *place.arguments(output), ranks=2)
    wait_until(lambda: kept_in(parts(output)) == KEPT, job)
    kill_all(job)
    job.communicate(timeout=TIMEOUT_S)
    place.gate.open()
    assert kept_in(parts(output)) == KEPT and not output.exists()
    return parts(output)


@pytest.fixture
def output(killed, tmp_path):
    """Where the same command finds what the killed job left."""
    shutil.copytree(killed, tmp_path / "r.json.parts")
    return tmp_path / "r.json"


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_killed_job_continues_at_any_number_of_ranks(place, whole, output, ranks):
    messages = finish(place, output, ranks=ranks)
    assert all(words in messages for words in found(10, 6)), messages
    if ranks == 2:
        assert results(output) == results(whole)
    made, expected = (json.loads(path.read_text()) for path in (output, whole))
    for metric in ("fid", "kid"):
        assert made[metric]["value"] == pytest.approx(expected[metric]["value"], rel=1e-9)


def test_damaged_features_are_computed_again(place, whole, output):
    torn, spoilt = (parts(output) / name for name in ("images/00000003.npz", "reference/00000002.npz"))
    torn.write_bytes(torn.read_bytes()[:-100])
    content = bytearray(spoilt.read_bytes())
    content[200] ^= 1
    spoilt.write_bytes(content)
    messages = finish(place, output, ranks=2)
    assert all(words in messages for words in found(8, 4)), messages
    assert messages.count("computed again") == 2 and str(torn) in messages and str(spoilt) in messages
    assert results(output) == results(whole)


def test_features_of_other_weights_are_not_mixed_in(place, whole, output):
    """Of those two networks, the features are equal, but nobody can know."""
    messages = finish(place, output, network=NETWORK)
    assert messages.count("They are discarded") == 2 and "were kept" not in messages, messages
    made, expected = (json.loads(path.read_text()) for path in (output, whole))
    assert made["network"]["sha256"] != expected["network"]["sha256"]
    assert made["fid"]["value"] == pytest.approx(expected["fid"]["value"], rel=1e-9)


def test_features_of_images_that_have_changed_are_not_mixed_in(place, output, tmp_path):
    real = shutil.copytree(place.real, tmp_path / "real")
    os.utime(real / "004.png", (0, 0))
    messages = finish(place, output, real=real)
    assert messages.count("They are discarded") == 1 and found(10, 6)[1] in messages, messages
    assert found(10, 6)[0] not in messages


def test_other_files_in_the_work_folder_are_left_alone(place, tmp_path):
    mine = tmp_path / "r.json.parts/reference/mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = run("effuse-evaluate", *place.arguments(tmp_path / "r.json"))
    assert done.returncode == 2 and "holds other files" in done.stderr, done.stderr
    assert mine.read_text() == "mine"


def test_a_stopped_job_continues_and_no_second_one_is_at_it(place, whole, tmp_path):
    output = tmp_path / "r.json"
    place.gate.shut()
    job = start("effuse-evaluate", *place.arguments(output), "--outcome", tmp_path / "outcome.json", ranks=0)
    wait_until((parts(output) / "images/00000003.npz").exists, job)
    second = run("effuse-evaluate", *place.arguments(output))
    job.send_signal(signal.SIGUSR1)
    place.gate.open()
    messages = job.communicate(timeout=TIMEOUT_S)[0]
    assert second.returncode == 2 and "r.json is in use by effuse-evaluate" in second.stderr, second.stderr
    assert job.returncode == 75 and "Run the same command again: it continues." in messages, messages
    assert ending(tmp_path) == ("stopped", 75, 1)
    assert len(kept_in(parts(output))) == 5 + 5, "the tile that was begun is kept, too"
    messages = finish(place, output)
    assert all(words in messages for words in found(10, 10)), messages
    assert json.loads(output.read_text())["fid"]["value"] == pytest.approx(
        json.loads(whole.read_text())["fid"]["value"], rel=1e-9)


def test_statistics_are_continued_beside_their_file(place, killed, tmp_path):
    shutil.copytree(killed, tmp_path / "s.npz.parts")
    done = run("effuse-evaluate", "--network", place.gate.network, "--images", place.made, "--tile", 2, "--device", "cpu",
               "--set", "parallel.threads=1", "--save-statistics", tmp_path / "s.npz")
    assert done.returncode == 0 and found(10, 6)[1] in done.stderr, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["s.npz"]
