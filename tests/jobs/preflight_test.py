"""effuse-preflight on real ranks: what it says of an allocation that is fit, and of those that are not."""

import errno
import os
import pathlib
import re
import shutil
import signal
import subprocess

import h5py
import pytest

from programs import BIN, TIMEOUT_S, command, environment, make_config, make_dataset, run, start, wait_until

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
CHECKS = ["ranks", "versions", "clocks", "cores", "memory", "devices", "folder", "disk", "data", "all-reduce"]
SMALL = ["--device", "cpu", "--set", "preflight.disk_mib=1", "--set", "preflight.largest_mib=1",
         "--set", "preflight.min_free_gib=0.001", "--set", "parallel.threads=1"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Three shards; to be copied, not changed."""
    folder = make_dataset(tmp_path_factory.mktemp("preflight") / "packed", size=64, count=240)
    packing = run("effuse-pack", "--input", f"{folder}-images", "--output", folder.parent / "three",
                  "--image-size", 64, "--set", "pack.shard_size_mib=1")
    assert packing.returncode == 0, packing.stderr
    assert len(list((folder.parent / "three").glob("*.h5"))) == 3
    return folder.parent / "three"


@pytest.fixture
def place(packed, tmp_path):
    """A folder with a data set of its own and a folder for runs."""
    shutil.copytree(packed, tmp_path / "packed")
    (tmp_path / "runs").mkdir()
    return tmp_path


def rows(done):
    """The states of the table, by check, in their order."""
    return dict(re.findall(r"^([a-z-]+) +(ok|left out|warning|FAILED) ", done.stdout, re.M))


def text(done):
    """What was said, without the table's line breaks."""
    return " ".join(done.stdout.split())


def preflight(place, *arguments, ranks=2, **options):
    return run("effuse-preflight", "--data", place / "packed", "--folder", place / "runs", *SMALL, *arguments,
               ranks=ranks, **options)


def assert_not_fit(done, failed, *messages):
    states = rows(done)
    assert done.returncode == 1, done.stdout + done.stderr
    assert list(states) == CHECKS, done.stdout
    assert [check for check in CHECKS if states[check] == "FAILED"] == failed, done.stdout
    count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
    assert done.stdout.splitlines()[-1] == f"not fit: {count} failed"
    for message in messages:
        assert message in text(done), done.stdout


def assert_nothing_left(place):
    assert not list((place / "runs").iterdir())
    assert sorted(path.name for path in place.iterdir()) == ["packed", "runs"]


@pytest.mark.parametrize("ranks", [0, 1, 2, 3])
def test_a_fit_allocation(place, ranks):
    """The file of a training run does for it."""
    config = make_config(place)
    done = run("effuse-preflight", "--config", config, "--folder", place / "runs", *SMALL, ranks=ranks)
    config.unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    states = rows(done)
    assert list(states) == CHECKS, done.stdout
    assert states.pop("cores") in ("ok", "warning")  # three ranks may have to share two cores
    assert states.pop("all-reduce") == ("left out" if ranks < 2 else "ok")
    assert set(states.values()) == {"ok"}, done.stdout
    assert done.stdout.splitlines()[-1].startswith("fit to train")
    number = "1 rank" if ranks < 2 else f"{ranks} ranks"
    assert f"{number} on 1 host" in text(done)
    assert "240 of 240 images read, in 3 shards" in text(done)
    sizes = re.findall(r"^ +(\d+ [KM]iB) +[\d.]+ ms +[\d.]+ GB/s +[\d.]+ GB/s$", done.stdout, re.M)
    assert sizes == ([] if ranks < 2 else ["1 KiB", "4 KiB", "16 KiB", "64 KiB", "256 KiB", "1 MiB"]), done.stdout
    assert_nothing_left(place)


def test_a_folder_that_is_not_there_yet_is_not_made(place):
    done = preflight(place, "--folder", place / "runs/of/mine", ranks=0)
    assert done.returncode == 0, done.stdout
    assert f"runs/of/mine, not there yet: tried in {place / 'runs'}" in text(done)
    assert_nothing_left(place)


def test_without_a_data_set_the_shards_are_left_out(place):
    done = run("effuse-preflight", "--folder", place / "runs", *SMALL)
    assert done.returncode == 0, done.stdout
    assert rows(done)["data"] == "left out"
    assert "--data" in text(done)


def test_a_flipped_byte_is_found_whichever_rank_reads_it(place):
    shards = sorted((place / "packed").glob("*.h5"))
    for shard in shards:
        with h5py.File(shard) as file:
            offset = file["images"].id.get_offset() + 7 * 64 * 64 * 3
        content = bytearray(shard.read_bytes())
        content[offset] ^= 1
        shard.write_bytes(content)
    done = preflight(place)
    assert_not_fit(done, ["data"])
    for rank, shard in zip((0, 1, 0), shards):
        assert re.search(rf"rank {rank} \(\S+\): shard {shard} has 1 damaged image, image 7 \(CRC-32C", text(done)), done.stdout


def test_a_missing_shard_is_named_once(place):
    (place / "packed/shard-00001.h5").unlink()
    done = preflight(place, ranks=3)
    assert_not_fit(done, ["data"], "shard-00001.h5 cannot be found")
    assert text(done).count("cannot be found") == 1, done.stdout
    assert re.search(r"ranks 0-1 \(\S+\): shard", text(done)), "the first of the host, and the one that was to read it"


def test_a_data_set_that_is_not_there(place):
    done = preflight(place, "--data", place / "elsewhere", ranks=0)
    assert_not_fit(done, ["data"], "data set folder", "elsewhere does not exist")


def test_a_folder_with_too_little_space(place):
    done = preflight(place, "--set", "preflight.min_free_gib=1e9", ranks=0)
    assert_not_fit(done, ["disk"], "less than 953.7 PiB (a checkpoint that does not fit ends the run)")
    assert_nothing_left(place)


def test_a_folder_where_nothing_can_be_written(place):
    done = preflight(place, "--folder", "/proc", "--set", "preflight.min_free_gib=0")
    assert_not_fit(done, ["folder", "disk"], "cannot write in /proc", "Give another folder with --folder")


def test_a_file_in_the_place_of_the_folder(place):
    file = place / "packed/dataset.json"
    done = preflight(place, "--folder", file / "runs", ranks=0)
    assert_not_fit(done, ["folder", "disk"], f"{file}/runs cannot be a folder: {file} is a file")


def in_turn(parts):
    """One job of one rank for each (program, folder), which is where it is started."""
    words = []
    for program, folder, arguments in parts:
        words += [*([":"] if words else ["mpirun", "--oversubscribe", "--bind-to", "none"]), "-n", "1",
                  "-wdir", str(folder), str(program), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment())


def test_folders_that_are_not_shared(place, tmp_path_factory):
    """Each rank has a working folder of its own, as nodes have disks, and in it other data."""
    other = tmp_path_factory.mktemp("other")
    (other / "runs").mkdir()
    make_dataset(other / "packed", size=64, count=6)
    shutil.rmtree(other / "packed-images")
    arguments = ["--data", "packed", "--folder", "runs", *SMALL]
    done = in_turn([(BIN / "effuse-preflight", folder, arguments) for folder in (place, other)])
    assert_not_fit(done, ["folder", "data"], "what rank 0 writes in runs cannot be read here, in " + str(other / "runs"),
                   "the data set is not that of rank 0")
    assert re.search(r"rank 1 \(\S+\): what rank 0 writes", text(done)), done.stdout
    assert_nothing_left(place)
    assert_nothing_left(other)


def test_another_release_at_one_rank(place):
    """A copy of the program whose version was changed."""
    program = (BIN / "effuse-preflight").read_bytes()
    version = run("effuse-preflight", "--version").stdout.split()[1]
    other_version = version[:-1] + ("9" if version[-1] != "9" else "8")
    patched = place / "other-preflight"
    patched.write_bytes(program.replace(version.encode() + b"\0", other_version.encode() + b"\0"))
    patched.chmod(0o755)
    arguments = ["--data", place / "packed", "--folder", place / "runs", *SMALL]
    done = in_turn([(BIN / "effuse-preflight", place, arguments), (patched, place, arguments)])
    assert_not_fit(done, ["versions"], f"Effuse is not the same everywhere: {version}")
    assert re.search(rf"{re.escape(other_version)}[^,]* at rank 1 \(", text(done)), done.stdout


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core alone is shared by need, not by binding")
def test_two_ranks_on_one_core(place):
    core = min(os.sched_getaffinity(0))
    done = preflight(place, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    assert_not_fit(done, ["cores"], f"all 2 ranks: 2 ranks bound together to core {core}", "--cpus-per-task")


def test_gpus_where_there_are_none(place):
    done = subprocess.run(command("effuse-preflight", "--folder", place / "runs", *SMALL, "--device", "cuda", ranks=2),
                          capture_output=True, text=True, timeout=TIMEOUT_S,
                          env={**environment(), "CUDA_VISIBLE_DEVICES": ""})
    assert_not_fit(done, ["devices"], "all 2 ranks: parallel.device is cuda, but no GPU is seen here")
    assert rows(done)["all-reduce"] == "left out"


def hang_data(folder):
    """As on a file system that does not answer: who reads the manifest waits until someone writes it."""
    (folder / "packed/dataset.json").unlink()
    os.mkfifo(folder / "packed/dataset.json")


def test_a_signal_ends_it_in_order(place):
    hang_data(place)
    job = start("effuse-preflight", "--data", place / "packed", "--folder", place / "runs", *SMALL, ranks=0)
    while not job.stdout.readline().startswith("disk"):
        assert job.poll() is None
    job.send_signal(signal.SIGUSR1)
    writer = wait_until(lambda: open_where_read(place / "packed/dataset.json"), job)
    os.close(writer)  # an empty manifest, which is no matter any more
    rest = job.communicate(timeout=TIMEOUT_S)[0]
    assert job.returncode == 75, rest
    assert "stopped before the end" in rest and "data" not in rest, rest
    assert_nothing_left(place)


def open_where_read(fifo):
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        assert error.errno == errno.ENXIO
        return None


def test_a_rank_that_hangs_is_not_waited_for_without_end(place, tmp_path_factory):
    other = tmp_path_factory.mktemp("hangs")
    shutil.copytree(place / "packed", other / "packed")
    hang_data(other)
    arguments = ["--data", "packed", "--folder", place / "runs", *SMALL, "--set", "parallel.startup_timeout_s=5"]
    done = in_turn([(BIN / "effuse-preflight", folder, arguments) for folder in (place, other)])
    assert done.returncode != 0
    assert list(rows(done)) == CHECKS[:-2], done.stdout
    assert done.stdout.splitlines()[-1] == "not fit: the ranks lost each other in the check after these"
    assert "all_reduce of 4 x int64" in done.stderr, done.stderr
    assert_nothing_left(place)


@pytest.mark.parametrize("config", sorted(SOURCE.glob("configs/train/*.toml")), ids=lambda path: path.name)
def test_training_configurations_are_accepted(config):
    assert run("effuse-preflight", "--config", config, "--print-config").returncode == 0


def test_a_check_of_the_settings_looks_at_the_data_set(place):
    done = run("effuse-preflight", "--data", place / "packed", "--folder", place / "runs", "--check")
    assert done.returncode == 0 and "ok: would try" in done.stderr, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments, code, message", [
    (["--dta", "x"], 2, "did you mean --data?"),
    (["--set", "run.steps=3"], 2, "does not use [run]"),
    (["--set", "preflight.disk_mib=0"], 2, "disk_mib"),
    (["--data", "nowhere", "--check"], 3, "nowhere does not exist"),
])
def test_bad_usage(arguments, code, message):
    done = run("effuse-preflight", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stdout == ""
