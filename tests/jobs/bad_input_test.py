"""What effuse-train answers to configurations, data and machines that are not as they should be."""

import os
import resource
import shutil
import signal
import socket
import subprocess

import h5py
import pytest

from programs import (checkpoints, command, environment, last_checkpoint, log_lines, make_config,
                      make_dataset, outcome, overrides, run)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad-input")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


@pytest.fixture(scope="module")
def trained(workplace):
    """A run of 10 steps with checkpoints at 5 and 10; to be copied, not changed."""
    result = train(workplace, "trained", **{"run.steps": 10})
    assert result.returncode == 0, result.stderr
    return workplace / "runs/trained"


@pytest.fixture
def begun(trained, request):
    """A copy of that run, under the test's name."""
    folder = trained.parent / request.node.name
    shutil.copytree(trained, folder, symlinks=True)
    return folder


def train(workplace, name, *arguments, ranks=0, options=None, **settings):
    return run("effuse-train", "--config", workplace / "tiny.toml", "--name", name,
               *overrides(settings), *arguments, ranks=ranks, **(options or {}))


def assert_refused(result, code, *messages):
    assert result.returncode == code, result.stderr
    for message in messages:
        assert message in result.stderr, result.stderr


def flip_byte(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize("line, messages", [
    ("[optimizer]\nlearning = 1\n", ("bad.toml:2:1", "learning")),
    ("[run]\nbatchsize = 8\n", ("bad.toml:2:1", "batchsize", "batch_size")),
    ("[modle]\nname = 'unet2d'\n", ("bad.toml:1", "modle", "model")),
    ("[run]\n\nsteps = 'many'\n", ("bad.toml:3", "steps")),
    ("[run]\nsteps = 2.5\n", ("bad.toml:2", "steps")),
    ("[ema]\ndecay = 1.5\n", ("bad.toml:2", "ema.decay", "1.5")),
    ("[precision]\ncompute = 'fp8'\n", ("bad.toml:2", "fp8", "bf16")),
    ("[run\n", ("bad.toml:1",)),
])
def test_a_bad_file(tmp_path, line, messages):
    (tmp_path / "bad.toml").write_text(line)
    assert_refused(run("effuse-train", "--config", tmp_path / "bad.toml"), 2, *messages)
    assert os.listdir(tmp_path) == ["bad.toml"]


@pytest.mark.parametrize("settings, messages", [
    ({"optimizer.lrr": 1}, ("optimizer.lrr", "optimizer.lr")),
    ({"run.batch_size": 0}, ("run.batch_size", "0")),
    ({"run.steps": 0}, ("the duration of the run is missing",)),
    ({"data.folder": ""}, ("data.folder is not set", "--data FOLDER")),
    ({"model.norm_num_groups": 3}, ("norm_num_groups",)),
    ({"parallel.device": "tpu"}, ("parallel.device", "cuda")),
])
def test_bad_settings(workplace, settings, messages):
    for last in ((), ("--check",)):
        assert_refused(train(workplace, "refused", *last, **settings), 2, *messages)
    assert not (workplace / "runs/refused").exists()


def test_a_refused_attempt_is_the_last_outcome(workplace, begun):
    """A script that reads outcome.json must not find the one before and submit again for ever."""
    attempt = outcome(begun)["attempt"]
    for settings, code, name in (({"run.batch_size": 16}, 2, "bad configuration"),
                                 ({"preview.steps": 999}, 2, "bad configuration"),
                                 ({"data.folder": workplace / "none"}, 3, "bad data")):
        refused = train(workplace, begun.name, ranks=2, **{"run.steps": 20}, **settings)
        assert refused.returncode == code, refused.stderr
        attempt += 1
        record = outcome(begun)
        assert (record["outcome"], record["exit_code"], record["step"], record["attempt"]) == (
            name, code, 10, attempt)
    assert len(log_lines(begun)) == 10
    assert train(workplace, begun.name, **{"run.steps": 11}).returncode == 0
    assert outcome(begun)["outcome"] == "done"


@pytest.mark.parametrize("words, code, message", [
    (("--batch-size", 16), 2, "begun with another run.batch_size"),
    (("--allow-change", "foo.bar"), 2, "foo.bar"),
    (("--resume-from", "x"), 2, "--resume-from"),
    (("--resume-from", 7), 1, "no checkpoint of step 7"),
    (("--fresh", "--resume-from", 5), 2, "Give one of them"),
])
def test_check_refuses_what_the_run_would(workplace, begun, words, code, message):
    before = sorted(path.name for path in begun.rglob("*"))
    for last in ((), ("--check",)):
        refused = train(workplace, begun.name, *words, *last, **{"run.steps": 20})
        assert_refused(refused, code, message)
    assert sorted(path.name for path in begun.rglob("*")) == before
    fine = train(workplace, begun.name, "--check", **{"run.steps": 20})
    assert_refused(fine, 0, "continuing after step 10")
    assert "continuing" not in train(workplace, begun.name, "--check", "--fresh", **{"run.steps": 20}).stderr


@pytest.mark.parametrize("name", ["bad\udcff", "a/b", "..", "a\nb"])
def test_names_that_are_no_names(workplace, name):
    """In Python's way of writing a byte that is no UTF-8, the first."""
    before = sorted(os.listdir(workplace / "runs"))
    assert_refused(train(workplace, name, **{"run.steps": 1}), 2, "run.name")
    assert sorted(os.listdir(workplace / "runs")) == before


def test_more_images_than_can_be_counted(workplace):
    for flag in ("--images", "--epochs", "--steps"):
        assert_refused(train(workplace, "refused", flag, 2**63 - 1), 2, "must be at most")


def test_two_durations_in_a_file(workplace, tmp_path):
    text = (workplace / "tiny.toml").read_text().replace("steps = 20", "steps = 20\nepochs = 2", 1)
    (tmp_path / "twice.toml").write_text(text)
    assert_refused(run("effuse-train", "--config", tmp_path / "twice.toml", "--name", "refused"), 2,
                   "the duration of the run is given twice")
    assert not (workplace / "runs/refused").exists()


def test_a_missing_file(tmp_path):
    assert_refused(run("effuse-train", "--config", tmp_path / "none.toml"), 2, "none.toml")


@pytest.mark.parametrize("ranks", [0, 2])
def test_bad_data_folders(workplace, tmp_path, ranks):
    (tmp_path / "images").mkdir()
    for folder, message in ((tmp_path / "none", "does not exist"),
                            (tmp_path / "images", "is empty")):
        refused = train(workplace, "refused", ranks=ranks, **{"data.folder": folder})
        assert_refused(refused, 3, str(folder), message)
        assert refused.stderr.count(message) == 1, "said once, however many ranks there are"


def test_a_model_of_another_shape_than_the_data(workplace):
    for settings, message in (({"model.sample_size": 16}, "image size 8, but model.sample_size"),
                              ({"model.in_channels": 1}, "image channels 3, but model.in_channels"),
                              ({"model.num_class_embeds": 5}, "classes 2"),
                              ({"model.num_class_embeds": 3, "model.null_class": "false"},
                               "classes 2, but model.num_class_embeds is 3")):
        for last in ((), ("--check",)):
            assert_refused(train(workplace, "refused", *last, **settings), 3, message)


def test_another_data_set_on_resume(workplace, begun, tmp_path):
    more = make_dataset(tmp_path / "more", classes=3)
    larger = make_dataset(tmp_path / "larger", size=16)
    words = {"run.steps": 20}
    assert_refused(train(workplace, begun.name, **words, **{"data.folder": larger}), 2,
                   "begun with another", "data.folder", "model.sample_size")
    assert_refused(train(workplace, begun.name, **words, **{"data.folder": more}), 2,
                   "begun with another", "data.folder", "model.num_class_embeds")
    forced = train(workplace, begun.name, "--allow-change", "data.folder", "--allow-change",
                   "model.num_class_embeds", **words, **{"data.folder": more})
    assert_refused(forced, 1, "does not fit the model", "class_embedding.weight has shape")
    assert len(log_lines(begun)) == 10
    assert train(workplace, begun.name, **words).returncode == 0


@pytest.mark.parametrize("ranks", [0, 2])
def test_a_damaged_shard(workplace, tmp_path, ranks):
    shutil.copytree(workplace / "packed", tmp_path / "packed")
    shard = tmp_path / "packed/shard-00000.h5"
    with h5py.File(shard) as file:
        offset = file["images"].id.get_offset()
        path = file["paths"].asstr()[13]
    flip_byte(shard, offset + 13 * 8 * 8 * 3 + 5)
    refused = train(workplace, f"damaged-{ranks}", ranks=ranks,
                    **{"data.folder": tmp_path / "packed"})
    assert_refused(refused, 3, "image 13 of shard", "shard-00000.h5", path)
    assert outcome(workplace / "runs" / f"damaged-{ranks}")["outcome"] == "bad data"


def test_a_damaged_image_is_passed_over_alike_at_any_number_of_ranks(workplace, tmp_path):
    shutil.copytree(workplace / "packed", tmp_path / "packed")
    shard = tmp_path / "packed/shard-00000.h5"
    with h5py.File(shard) as file:
        flip_byte(shard, file["images"].id.get_offset() + 13 * 8 * 8 * 3 + 5)
    losses = {}
    for ranks in (1, 3):
        name = f"passed-over-{ranks}"
        result = train(workplace, name, ranks=ranks, **{"data.folder": tmp_path / "packed",
                                                        "data.max_bad_share": 0.03})
        assert result.returncode == 0, result.stderr
        assert result.stderr.count("image 13 of shard") == 1, result.stderr
        assert "The next whole image is taken in place of number 13." in result.stderr
        losses[ranks] = [line[3] for line in log_lines(workplace / "runs" / name)]
    assert losses[3] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("ranks", [0, 2])
def test_no_valid_checkpoint_is_no_new_start(workplace, begun, ranks):
    for name in checkpoints(begun):
        (begun / "checkpoints" / name / "ema.safetensors").unlink()
    assert_refused(train(workplace, begun.name, ranks=ranks, **{"run.steps": 20}), 1,
                   "none of the checkpoints", "step-00000005", "step-00000010", "--fresh")
    assert len(log_lines(begun)) == 10


def test_a_checkpoint_that_is_not_there(workplace, begun):
    assert_refused(train(workplace, begun.name, "--resume-from", 7, **{"run.steps": 20}), 1, "7")
    assert_refused(train(workplace, begun.name, "--resume-from", "x"), 2, "--resume-from", "x")


def test_a_changed_experiment_is_refused_unless_allowed(workplace, begun):
    changed = {"run.steps": 12, "optimizer.lr": 0.001}
    for ranks in (0, 2):
        assert_refused(train(workplace, begun.name, ranks=ranks, **changed), 2, "optimizer.lr",
                       "--allow-change")
    assert len(log_lines(begun)) == 10
    assert_refused(train(workplace, begun.name, "--allow-change", "run.seed", **changed), 2,
                   "optimizer.lr")
    allowed = train(workplace, begun.name, "--allow-change", "optimizer.lr", **changed)
    assert_refused(allowed, 0, "changed since the run was begun:", "optimizer.lr")
    assert [line[5] for line in log_lines(begun)] == [0.002] * 10 + [0.001] * 2


def test_a_changed_key_of_operation_is_logged(workplace, begun):
    result = train(workplace, begun.name, **{"run.steps": 11, "data.workers": 0})
    assert_refused(result, 0, "changed since the run was begun:", "data.workers")


def test_a_port_in_use_is_said_and_training_goes_on(workplace):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = train(workplace, "port", **{
            "run.steps": 2, "metrics.exporter": "true", "metrics.address": "127.0.0.1",
            "metrics.port": port})
    assert_refused(result, 0, str(port), "The work goes on without an exporter")
    assert not list((workplace / "runs/port/metrics/targets").iterdir())


def test_ranks_that_disagree(workplace):
    def words(seed):
        return command("effuse-train", "--config", workplace / "tiny.toml", "--name", "torn",
                       "--seed", seed, ranks=0)
    launcher = command("effuse-train", ranks=1)[:-1]
    job = subprocess.run([*launcher, *words(3), ":", "-n", "1", *words(4)], capture_output=True,
                         text=True, timeout=100, env=environment())
    assert_refused(job, 2, "different configurations", "rank 1: run.seed")
    assert not (workplace / "runs/torn").exists()


def test_ranks_with_different_data(workplace, tmp_path):
    """Copies on the disks of two nodes, one of them stale."""
    other = make_dataset(tmp_path / "packed", count=38)
    folders = {}
    for name, data in (("one", workplace / "packed"), ("two", other)):
        folders[name] = tmp_path / name
        folders[name].mkdir()
        (folders[name] / "data").symlink_to(data)

    def words(place):
        return ["-n", "1", "-wdir", str(folders[place]), *command(
            "effuse-train", "--config", workplace / "tiny.toml", "--name", "torn", "--data", "data", ranks=0)]
    launcher = command("effuse-train", ranks=1)[:-3]
    job = subprocess.run([*launcher, *words("one"), ":", *words("two")], capture_output=True, text=True,
                         timeout=100, env=environment())
    assert_refused(job, 3, "the data set of rank 0 is not that of ranks 1")
    assert not (workplace / "runs/torn").exists()


def test_a_preview_that_cannot_be_written_ends_nothing(workplace):
    assert train(workplace, "blind", **{"run.steps": 2}).returncode == 0
    previews = workplace / "runs/blind/previews"
    shutil.rmtree(previews)
    previews.touch()  # no folder: nothing can be written in it, not even by root
    before = len(log_lines(workplace / "runs/blind"))
    job = train(workplace, "blind", **{"run.steps": 4, "preview.every_steps": 1})
    assert job.returncode == 1 and "previews" in job.stderr  # found at the start
    previews.unlink()
    previews.mkdir()
    (previews / "step-00000003.png").mkdir()  # found when the picture is renamed into place
    assert_refused(train(workplace, "blind", **{"run.steps": 4, "preview.every_steps": 1}), 0,
                   "no preview of step 3", "Training goes on")
    assert len(log_lines(workplace / "runs/blind")) == before + 2
    assert (previews / "step-00000004.png").is_file()


def assert_goes_on_from(workplace, run_folder, step, steps):
    assert not list((run_folder / "checkpoints").glob(".*"))
    again = train(workplace, run_folder.name,
                  **{"run.steps": steps, "run.folder": run_folder.parent})
    assert_refused(again, 0, f"continuing after step {step}")


@pytest.mark.parametrize("ranks", [0, 2])
def test_a_file_that_may_not_grow_leaves_the_checkpoint_before(workplace, begun, ranks):
    largest = max(path.stat().st_size for path in last_checkpoint(begun).iterdir())

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 1, largest - 1))

    if ranks:  # what mpirun shares with its ranks is larger
        words = command("effuse-train", "--config", workplace / "tiny.toml", "--name", begun.name,
                        *overrides({"run.steps": 30}), ranks=0)
        launcher = command("bash", ranks=ranks)[:-1]
        script = f'trap "" XFSZ; ulimit -f {largest // 1024 - 1}; exec "$@"'
        full = subprocess.run([*launcher, "bash", "-c", script, "bash", *words],
                              capture_output=True, text=True, timeout=100, env=environment())
    else:
        full = train(workplace, begun.name, options={"preexec_fn": limit}, **{"run.steps": 30})
    assert_refused(full, 1, "File too large", "step-00000015")
    assert outcome(begun)["outcome"] == "failure"
    assert checkpoints(begun) == ["step-00000005", "step-00000010"]
    assert_goes_on_from(workplace, begun, 10, 12)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "effuse-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root; "
                    "test_a_file_that_may_not_grow_leaves_the_checkpoint_before covers the rest")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("ranks", [0, 2])
def test_a_full_disk_leaves_the_checkpoints_before(workplace, trained, small_disk, ranks):
    folder = small_disk / "full"
    shutil.copytree(trained, folder, symlinks=True)
    size = sum(path.stat().st_size for path in last_checkpoint(folder).iterdir())
    disk = os.statvfs(small_disk)
    free = disk.f_bavail * disk.f_frsize
    (small_disk / "filler").write_bytes(bytes(free - size // 2))
    full = train(workplace, "full", ranks=ranks, **{"run.folder": small_disk, "run.steps": 20})
    assert_refused(full, 1, "No space left")
    assert checkpoints(folder) == ["step-00000005", "step-00000010"]
    (small_disk / "filler").unlink()
    assert_goes_on_from(workplace, folder, 10, 12)
