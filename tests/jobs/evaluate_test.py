"""effuse-evaluate from outside: its numbers do not depend on ranks, order, form of the input or parts."""

import fcntl
import json
import pathlib
import shutil
import signal
import zipfile

import numpy as np
import pytest
from PIL import Image

import inception_file
import programs
from image_sets import waves, write_folder
from programs import TIMEOUT_S, ending, outcome, run, start, wait_until

SMALL = ("--device", "cpu", "--tile", 4, "--set", "parallel.threads=1", "--set", "evaluation.splits=2",
         "--set", "evaluation.density_neighbours=2", "--kid-subset-size", 8)
NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"
METRICS = ("--metrics", "fid,kid,precision_recall,density_coverage")
ALL = ("--metrics", "fid,kid,is,precision_recall,density_coverage")
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with weights, two sets of images as folders and as .npz, and a packed data set."""
    folder = tmp_path_factory.mktemp("evaluate")
    inception_file.write_safetensors(folder / "inception.safetensors")
    for name, seed, count in (("real", 1, 10), ("made", 2, 9)):
        write_folder(folder / name, waves(seed, count))
        np.savez(folder / f"{name}.npz", waves(seed, count))
    packed = run("effuse-pack", "--input", folder / "real", "--output", folder / "packed", "--image-size", 16)
    assert packed.returncode == 0, packed.stderr
    return folder


def evaluate(*arguments, ranks=0):
    """With a network that takes no time."""
    return run("effuse-evaluate", "--network", NETWORK, *SMALL, *arguments, ranks=ranks)


def scores(tmp_path, *arguments, ranks=0):
    done = evaluate(*arguments, "--output", tmp_path / "result.json", ranks=ranks)
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / "result.json").read_text())


@pytest.fixture(scope="module")
def result(place, tmp_path_factory):
    return scores(tmp_path_factory.mktemp("result"), "--reference", place / "real", "--images", place / "made",
                  *METRICS)


def assert_same(one, other):
    shared = {"fid", "kid", "is", "precision", "recall", "density", "coverage"} & one.keys()
    assert "fid" in shared and shared == shared & other.keys()
    for metric in shared:
        assert one[metric]["value"] == pytest.approx(other[metric]["value"], rel=TOLERANCE), metric


def test_a_result_says_what_it_depends_on(place, tmp_path):
    done = run("effuse-evaluate", "--weights", place / "inception.safetensors", "--allow-unknown-weights", *SMALL,
               "--reference", place / "real", "--images", place / "made", *ALL, "--output", tmp_path / "out.json",
               "--outcome", tmp_path / "new/outcome.json", ranks=2)
    assert done.returncode == 0, done.stderr
    assert ending(tmp_path / "new") == ("done", 0, 1)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["outcome.json"]
    made = json.loads((tmp_path / "out.json").read_text())
    assert made["network"]["convention"] == "legacy-pytorch" and len(made["network"]["sha256"]) == 64
    assert made["network"]["name"] == "inception-unknown-weights"
    assert made["settings"]["convention"] == "legacy-pytorch"
    assert made["images"]["count"] == 9 and made["reference"]["count"] == 10
    assert made["kid"]["subset_size"] == 8 and made["settings"]["seed"] == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["fid", "is", "kid", "precision", "recall", "density", "coverage"]
    assert float(rows[0][1]) == pytest.approx(made["fid"]["value"], rel=1e-4)
    assert "9 images are too few for 2048 features" in done.stderr
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.width > picture.height > 3 * 16


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_do_not_matter(place, result, tmp_path, ranks):
    assert_same(scores(tmp_path, "--reference", place / "real", "--images", place / "made", *METRICS, ranks=ranks),
                result)


def test_the_form_of_the_input_does_not_matter(place, result, tmp_path):
    assert_same(scores(tmp_path, "--reference", place / "packed", "--images", place / "made.npz", *METRICS), result)


def test_the_order_of_the_images_does_not_matter(place, result, tmp_path):
    np.savez_compressed(tmp_path / "turned.npz", waves(2, 9)[::-1])
    turned = scores(tmp_path, "--reference", place / "real", "--images", tmp_path / "turned.npz")
    assert turned["fid"]["value"] == pytest.approx(result["fid"]["value"], rel=TOLERANCE)


def test_equal_sets_are_at_no_distance(place, tmp_path):
    made = scores(tmp_path, "--reference", place / "real", "--images", place / "real.npz", "--metrics",
                  "fid,precision_recall")
    assert abs(made["fid"]["value"]) <= 1e-6
    assert made["precision"]["value"] == made["recall"]["value"] == 1


def test_statistics_of_parts_are_those_of_the_whole(place, result, tmp_path):
    np.savez(tmp_path / "one.npz", waves(2, 9)[:1])
    np.savez(tmp_path / "two.npz", waves(2, 9)[1:])
    for part in ("one", "two"):
        done = evaluate("--images", tmp_path / f"{part}.npz", "--save-statistics", tmp_path / f"{part}-stats.npz")
        assert done.returncode == 0, done.stderr
    # Merged, without a network: the files say which features they hold.
    merged = run("effuse-evaluate", "--images", f"{tmp_path}/one-stats.npz,{tmp_path}/two-stats.npz",
                 "--save-statistics", tmp_path / "all.npz", "--device", "cpu")
    assert merged.returncode == 0, merged.stderr
    saved = np.load(tmp_path / "all.npz")
    assert saved["mu"].shape == (24,) and saved["sigma"].shape == (24, 24) and saved["mu"].dtype == np.float64
    assert saved["count"] == 9 and str(saved["network"]) == "torchscript"
    assert saved["sum"] / 9 == pytest.approx(saved["mu"])
    made = scores(tmp_path, "--reference", place / "real", "--images", tmp_path / "all.npz")
    assert made["fid"]["value"] == pytest.approx(result["fid"]["value"], rel=TOLERANCE)
    assert made["images"]["count"] == 9


def test_sums_are_made_from_the_images_of_a_file_that_has_none(place, tmp_path):
    np.savez(tmp_path / "adm.npz", arr_0=waves(2, 9), mu=np.zeros(5), sigma=np.eye(5))
    for images, ranks in ((place / "made", 0), (tmp_path / "adm.npz", 2)):
        done = evaluate("--images", images, "--save-statistics", tmp_path / f"{images.stem}-stats.npz", ranks=ranks)
        assert done.returncode == 0, done.stderr
    assert "adm.npz has no sums to keep: its images are gone through instead" in done.stderr
    ours, expected = (np.load(tmp_path / f"{name}-stats.npz") for name in ("adm", "made"))
    for name in ("mu", "sigma", "count", "sum", "outer_sum"):
        assert ours[name] == pytest.approx(expected[name], rel=TOLERANCE), name


def test_statistics_alone_need_no_network(tmp_path):
    """The distance of two Gaussians in three dimensions, by hand, from files as pytorch-fid writes them."""
    np.savez_compressed(tmp_path / "a.npz", mu=np.zeros(3), sigma=np.diag([1.0, 4.0, 9.0]))
    np.savez_compressed(tmp_path / "b.npz", mu=np.array([1.0, 2.0, 2.0]), sigma=np.diag([4.0, 4.0, 1.0]))
    done = run("effuse-evaluate", "--reference", tmp_path / "a.npz", "--images", tmp_path / "b.npz", "--device", "cpu",
               "--output", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "r.json").read_text())
    assert made["fid"]["value"] == pytest.approx(9 + 1 + 0 + 4, rel=1e-12)
    assert made["images"]["count"] is None


def test_a_data_set_keeps_its_statistics(place, result, tmp_path):
    shutil.copytree(place / "packed", tmp_path / "packed", ignore=shutil.ignore_patterns("statistics"))
    arguments = ("--reference", tmp_path / "packed", "--images", place / "made")
    first = evaluate(*arguments)
    assert first.returncode == 0 and "kept in" in first.stderr
    kept = list((tmp_path / "packed/statistics").glob("*.npz"))
    assert len(kept) == 1
    again = scores(tmp_path, *arguments, ranks=2)
    assert again["fid"]["value"] == pytest.approx(result["fid"]["value"], rel=TOLERANCE)
    without = evaluate(*arguments, "--set", "evaluation.cache=false")
    assert without.returncode == 0 and "taken from" not in without.stderr
    verified = run("effuse-inspect", "--dataset", tmp_path / "packed", "--verify")
    assert verified.returncode == 0, verified.stderr


def test_pairs_are_compared_pixel_by_pixel(place, tmp_path):
    images = waves(3, 5, size=24) // 2
    write_folder(tmp_path / "a", images)
    write_folder(tmp_path / "b", images + 5)
    done = run("effuse-evaluate", "--reference", tmp_path / "a", "--images", tmp_path / "b", "--metrics", "psnr,ssim",
               "--device", "cpu", "--output", tmp_path / "r.json", ranks=2)
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "r.json").read_text())
    assert made["psnr"]["value"] == pytest.approx(20 * np.log10(255 / 5), rel=1e-12)
    assert 0.9 < made["ssim"]["value"] < 1


def test_a_grey_file_counts_as_what_it_looks_like(tmp_path):
    """Wherever it lies, on either side: it is compared as RGB."""
    images = waves(3, 3, size=24) // 2
    found = []
    for kind in ("L", "RGB"):
        for side, folder in enumerate(("a", "b")):
            write_folder(tmp_path / kind / folder, images + 5 * side)
            first = tmp_path / kind / folder / "000.png"
            Image.open(first).convert("L").convert(kind).save(first)
        for reference, made in (("a", "b"), ("b", "a")):
            Image.fromarray(images[0]).save(tmp_path / kind / reference / "000.png")
            done = run("effuse-evaluate", "--reference", tmp_path / kind / reference, "--images", tmp_path / kind / made,
                       "--metrics", "psnr,ssim", "--device", "cpu", "--output", tmp_path / "r.json")
            assert done.returncode == 0, done.stderr
            result = json.loads((tmp_path / "r.json").read_text())
            found.append((result["psnr"], result["ssim"], result["reference"]["count"]))
    assert found[:2] == found[2:] and found[0][2] == 3


def bad(place, tmp_path):
    """Arguments, exit code, what the message says."""
    real, made, weights = place / "real", place / "made", place / "inception.safetensors"
    np.savez(tmp_path / "small.npz", mu=np.zeros(3), sigma=np.eye(3))
    np.savez(tmp_path / "floats.npz", np.zeros((2, 4, 4, 3), np.float32))
    (tmp_path / "none").mkdir()
    write_folder(tmp_path / "mixed", waves(1, 2))
    Image.fromarray(waves(1, 1, size=8)[0]).save(tmp_path / "mixed/9.png")
    write_folder(tmp_path / "torn", waves(1, 3))
    (tmp_path / "torn/002.png").write_bytes((tmp_path / "torn/002.png").read_bytes()[:90])
    (tmp_path / "text.pt").write_text("no module")
    known = ("--network", NETWORK)
    yield ("--reference", real, "--images", made, "--weights", weights), 3, "not that of pt_inception-2015-12-05"
    yield ("--reference", real, "--images", made), 2, "no feature network is set"
    yield ("--images", made, *known), 2, "nothing is to be done"
    yield ("--images", made, "--metrics", "kid", *known), 2, "kid compares with a reference"
    yield ("--reference", real, *known), 2, "evaluation.images is not set"
    yield ("--reference", real, "--images", tmp_path / "none", *known), 3, "none"
    yield ("--reference", real, "--images", tmp_path / "absent", *known), 3, "does not exist"
    yield ("--reference", real, "--images", tmp_path / "mixed", *known), 3, "images of different sizes"
    yield ("--reference", real, "--images", tmp_path / "torn", *known), 3, "torn/002.png cannot be read"
    yield ("--reference", real, "--images", tmp_path / "floats.npz", *known), 3, "images are uint8"
    yield ("--reference", tmp_path / "small.npz", "--images", made, *known), 3, "holds statistics of 3 features"
    yield ("--reference", real, "--images", made, "--metrics", "psnr"), 3, "do not pair"
    yield ("--reference", real, "--images", made, "--network", tmp_path / "text.pt"), 3, "is no TorchScript file"
    yield ("--reference", real, "--images", made, "--metrics", "fidd"), 2, "Did you mean"
    yield ("--reference", real, "--images", made, "--weights", tmp_path / "text.pt", "--allow-unknown-weights"), 3, \
        "text.pt"
    yield ("--reference", real, "--images", f"{made},{tmp_path}/small.npz", *known), 2, "mixes images and statistics"


def test_bad_input_is_refused(place, tmp_path):
    for arguments, code, words in bad(place, tmp_path):
        done = run("effuse-evaluate", "--device", "cpu", "--tile", 4, *arguments, "--output", tmp_path / "r.json")
        assert done.returncode == code and words in done.stderr, (arguments, done.returncode, done.stderr)
        assert not (tmp_path / "r.json").exists()


def hopeless(place, tmp_path):
    """As bad(): what is known before anything is computed."""
    (tmp_path / "file").write_text("no folder")
    shutil.copytree(place / "real", tmp_path / "flat")
    np.savez(tmp_path / "sums.npz", mu=np.zeros(24), sigma=np.eye(24))
    both = ("--reference", place / "real", "--images", place / "made")
    yield (*both, "--metrics", "is"), 2, "needs a network that classifies"
    yield (*both, "--metrics", "kid", "--kid-subset-size", 10), 3, "subsets of 10 images, but there are 9 images"
    yield (*both, "--metrics", "precision_recall", "--set", "evaluation.neighbours=9"), 3, "precision and recall need"
    yield (*both, "--metrics", "density_coverage", "--set", "evaluation.density_neighbours=10"), 3, \
        "density and coverage need"
    yield (*both, "--metrics", "fid,psnr"), 3, "do not pair"
    np.savez(tmp_path / "one.npz", waves(2, 1))
    yield ("--reference", place / "real", "--images", tmp_path / "one.npz"), 3, "need two images, but there is 1"
    shutil.copy(place / "made.npz", tmp_path / "own.npz")
    for output, key in (("own.npz", "--output"), ("own.npz", "--save-statistics"), ("sums.npz", "--output")):
        yield ("--reference", tmp_path / "sums.npz", "--images", tmp_path / "own.npz", "--metrics", "fid", key,
               tmp_path / output), 2, "would replace it"
    yield (*both, "--output", tmp_path / "x", "--save-statistics", tmp_path / "x"), 2, "are both"
    yield (*both, "--output", tmp_path / "file/r.json"), 2, "evaluation.output: "
    yield (*both, "--output", "/proc/none/r.json"), 2, "cannot be written"
    yield (*both, "--output", tmp_path), 2, "is a folder"
    yield (*both, "--output", tmp_path / "r.png"), 2, "is the name of the picture"
    yield ("--reference", place / "real", "--images", tmp_path / "flat", "--output", tmp_path / "flat/r.json"), 2, \
        "whose images are scored"
    yield ("--reference", tmp_path / "flat", "--images", place / "made", "--output", tmp_path / "flat/new/r.json"), 2, \
        "whose images are scored"
    yield ("--images", place / "made", "--save-statistics", tmp_path / "file/s.npz"), 2, "evaluation.save_statistics: "
    yield ("--images", tmp_path / "sums.npz", "--save-statistics", tmp_path / "s.npz"), 3, "holds mu and sigma alone"
    yield ("--reference", tmp_path / "sums.npz", "--images", place / "made", "--metrics", "fid,kid"), 3, \
        "sums.npz holds statistics alone"
    yield ("--reference", place / "real", "--images", tmp_path / "sums.npz", "--metrics", "precision_recall"), 3, \
        "sums.npz holds statistics alone"


def test_what_is_hopeless_is_refused_before_the_work(place, tmp_path):
    for number, (arguments, code, words) in enumerate(hopeless(place, tmp_path)):
        check, ranks = (((), 2) if number % 8 == 0 else (("--check",), 0))
        done = evaluate(*arguments, *check, ranks=ranks)
        assert done.returncode == code and words in done.stderr, (arguments, done.returncode, done.stderr)
        assert done.stderr.count(words) == 1 and "MPI_ABORT" not in done.stderr, done.stderr
        assert done.stdout == "" and "images are too few" not in done.stderr, done.stderr


def test_a_result_may_lie_beside_the_images_of_a_sampled_set_and_in_a_new_folder(place, result, tmp_path):
    shutil.copytree(place / "made", tmp_path / "set/images")
    (tmp_path / "set/samples.json").write_text('{"complete": "yes"}')
    done = evaluate("--images", tmp_path / "set", "--save-statistics", tmp_path / "s.npz")
    assert done.returncode == 0 and "set is not complete" in done.stderr, done.stderr
    (tmp_path / "set/samples.json").write_text('{"complete": true}')
    for output in (tmp_path / "set/r.json", tmp_path / "new/folder/r.json", tmp_path / "set/r.json"):
        done = evaluate("--reference", place / "real", "--images", tmp_path / "set", *METRICS, "--output", output)
        assert done.returncode == 0, done.stderr
        assert output.with_suffix(".png").exists()
        assert_same(json.loads(output.read_text()), result)


@pytest.mark.parametrize("old, new, words", [
    ("def forward(", "def forward)", "is no TorchScript file"),
    ("torch.tanh(torch.matmul(_2, weight))", "torch.slice(torch.matmul(_2, weight), 1, 0, 0)", "returns [2, 0]"),
    ("torch.tanh(", "torch.log(", "real/000.png are not finite"),
])
def test_a_network_with_an_error_is_refused_in_a_line(place, tmp_path, old, new, words):
    with zipfile.ZipFile(NETWORK) as whole, zipfile.ZipFile(tmp_path / "other.pt", "w") as broken:
        for entry in whole.namelist():
            broken.writestr(entry, whole.read(entry).replace(old.encode(), new.encode()))
    done = run("effuse-evaluate", "--reference", place / "real", "--images", place / "made", "--device", "cpu",
               "--tile", 4, "--network", tmp_path / "other.pt", "--metrics", "fid", ranks=2)
    assert done.returncode == 3 and words in done.stderr, done.stderr
    assert done.stderr.count(words) == 1 and "frame #" not in done.stderr, done.stderr


def test_how_an_attempt_was_refused_is_written(place, tmp_path, monkeypatch):
    """By all ranks together, or by one that ends the job for all, when there is none to agree with yet."""
    monkeypatch.setitem(programs.VARIABLES, "CUDA_VISIBLE_DEVICES", "")
    for attempt, (arguments, words) in enumerate(((("--metrics", "kid"), "kid compares with a reference"),
                                                  (("--device", "cuda"), "no GPU is seen here")), 1):
        done = evaluate("--images", place / "made", *arguments, "--outcome", tmp_path / "outcome.json", ranks=2)
        assert done.returncode == 2 and words in done.stderr, done.stderr
        assert ending(tmp_path) == ("bad configuration", 2, attempt)
        assert words in outcome(tmp_path)["reason"]


def test_an_outcome_that_cannot_be_written_is_refused_before_the_work(place, tmp_path):
    (tmp_path / "file").write_text("no outcome")
    (tmp_path / "empty").touch()
    arguments = ("--reference", place / "real", "--images", place / "made", "--output", tmp_path / "r.json")
    for name, check, words in (("file/o.json", (), "--outcome: "), ("file", (), "holds something else"),
                               ("r.png", ("--check",), "is a result's name")):
        done = evaluate(*arguments, "--outcome", tmp_path / name, *check)
        assert done.returncode == 2 and words in done.stderr, done.stderr
    assert (tmp_path / "file").read_text() == "no outcome"
    assert evaluate(*arguments, "--outcome", tmp_path / "empty", "--check").returncode == 0
    assert (tmp_path / "empty").read_text() == "" and not (tmp_path / "r.json").exists()


def test_an_outcome_is_of_one_job_at_a_time(place, tmp_path):
    with open(tmp_path / ".outcome.json.lock", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = evaluate("--images", place / "made", "--outcome", tmp_path / "outcome.json")
    assert done.returncode == 2 and "outcome.json is in use by" in done.stderr, done.stderr
    assert not (tmp_path / "outcome.json").exists()


def test_a_stop_is_said(place, tmp_path):
    job = start("effuse-evaluate", "--weights", place / "inception.safetensors", "--allow-unknown-weights", *SMALL,
                "--reference", place / "real", "--images", place / "made", "--outcome", tmp_path / "outcome.json", ranks=0)
    wait_until((tmp_path / "outcome.json").exists, job)
    assert ending(tmp_path) == ("running", None, 1)
    job.send_signal(signal.SIGUSR1)
    messages = job.communicate(timeout=TIMEOUT_S)[0]
    assert job.returncode == 75 and "stopped (SIGUSR1" in messages and "begins anew" in messages, messages
    assert ending(tmp_path) == ("stopped", 75, 1)


def test_check_does_not_do_the_work(place, tmp_path):
    done = evaluate("--reference", place / "real", "--images", place / "made", "--output", tmp_path / "r.json",
                    "--check")
    assert done.returncode == 0 and "ok: " in done.stderr
    assert not (tmp_path / "r.json").exists()
