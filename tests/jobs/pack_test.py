"""effuse-pack and effuse-inspect from outside: what they write, and what they answer to bad input."""

import csv
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from PIL import Image

BIN = pathlib.Path(os.environ["EFFUSE_BIN"])
RNG_SEED = 20240501


def run(program, *arguments, **options):
    return subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, **options)


def pack(source, output, *arguments, **options):
    return run("effuse-pack", "--input", source, "--output", output, *arguments, **options)


def contents(folder):
    """Every file by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def visible_and_hidden(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def images(tmp_path):
    """Three classes of 16x16 RGB PNGs, as {relative path: pixels}."""
    random = np.random.default_rng(RNG_SEED)
    pixels = {}
    for name in ("dog", "Cat", "übung"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(11):
            path = f"{name}/{i}.png"
            pixels[path] = random.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels[path]).save(tmp_path / "in" / path)
    return pixels


@pytest.fixture
def large_images(tmp_path):
    """Ninety names for one large PNG: slow enough to be killed in the middle. Four shards."""
    folder = tmp_path / "in" / "noise"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(RNG_SEED).integers(0, 256, (900, 900, 3), np.uint8)
    Image.fromarray(noise).save(folder / "00.png", compress_level=1)
    for i in range(1, 90):
        os.link(folder / "00.png", folder / f"{i:02d}.png")
    return tmp_path / "in"


LARGE = ("--image-size", 128, "--shard-size-mib", 1)  # 21 images a shard


def test_h5py_reads_the_shards(images, tmp_path):
    result = pack(tmp_path / "in", tmp_path / "out", "--image-size", 16)
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "out/dataset.json").read_text())
    assert manifest["complete"] and manifest["classes"] == ["Cat", "dog", "übung"]
    with h5py.File(tmp_path / "out" / manifest["shards"][0]["file"]) as shard:
        assert shard["images"].shape == (33, 16, 16, 3) and shard["images"].dtype == np.uint8
        assert shard["images"].chunks is None and shard["images"].id.get_offset() > 0
        paths = list(shard["paths"].asstr())
        assert paths == sorted(images, key=str.encode)
        for i, path in enumerate(paths):
            assert (shard["images"][i] == images[path]).all(), path
            assert manifest["classes"][shard["labels"][i]] == path.split("/")[0]
        assert shard["labels"].dtype == np.int64 and shard["crc32c"].dtype == np.uint32
        assert shard.attrs["encoding"] == "raw" and shard.attrs["format_version"] == 1
        assert list(shard.attrs["classes"]) == manifest["classes"]
        assert json.loads(shard.attrs["parameters"]) == manifest["parameters"]


def test_grey_and_padded(tmp_path):
    (tmp_path / "in").mkdir()
    pixels = np.random.default_rng(RNG_SEED).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in/a.png")
    result = pack(tmp_path / "in", tmp_path / "out", "--image-size", 32, "--channels", 1,
                  "--fit", "pad")
    assert result.returncode == 0, result.stderr
    with h5py.File(tmp_path / "out/shard-00000.h5") as shard:
        assert (shard["images"][0, :, :, 0] == np.pad(pixels, 2)).all()


def test_same_bytes_at_any_number_of_workers(large_images, tmp_path):
    for workers in (1, 2, 5):
        result = pack(large_images, tmp_path / f"out{workers}", *LARGE, "--workers", workers)
        assert result.returncode == 0, result.stderr
    one = contents(tmp_path / "out1")
    assert len(one) == 6
    assert contents(tmp_path / "out2") == one
    assert contents(tmp_path / "out5") == one


def interrupt_after_first_shard(source, output, how):
    process = subprocess.Popen([BIN / "effuse-pack", "--input", source, "--output", output,
                                *map(str, LARGE)], stderr=subprocess.PIPE, text=True)
    while not (output / "dataset.json").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    process.send_signal(how)
    _, messages = process.communicate(timeout=60)
    assert not json.loads((output / "dataset.json").read_text())["complete"]
    return process.returncode, messages


def test_killed_and_started_again_gives_the_same_bytes(large_images, tmp_path):
    code, _ = interrupt_after_first_shard(large_images, tmp_path / "out", signal.SIGKILL)
    assert code == -signal.SIGKILL
    refused = run("effuse-inspect", "--dataset", tmp_path / "out")
    assert refused.returncode == 3 and "Run the same effuse-pack command again" in refused.stderr
    again = pack(large_images, tmp_path / "out", *LARGE)
    assert again.returncode == 0 and "were there from before" in again.stderr, again.stderr
    assert pack(large_images, tmp_path / "straight", *LARGE).returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def start_part(source, output, part):
    return subprocess.Popen([BIN / "effuse-pack", "--input", source, "--output", output, *map(str, LARGE),
                             "--max-bad-share", "0.1", "--part", part], stderr=subprocess.PIPE, text=True)


def test_parts_at_once_of_which_one_is_killed_give_the_same_bytes(large_images, tmp_path):
    for number in (5, 40, *range(84, 90)):  # the only range of part 3 among them
        (large_images / f"noise/{number:02d}.png").unlink()
        (large_images / f"noise/{number:02d}.png").write_text("no image")
    out = tmp_path / "out"
    jobs = [start_part(large_images, out, f"{i}/3") for i in (1, 2, 3)]
    progress = out / "part-00001-of-00003.json"
    while not progress.exists() or not json.loads(progress.read_text())["shards"]:
        assert jobs[0].poll() is None, jobs[0].stderr.read()
        time.sleep(0.002)
    jobs[0].kill()
    said = [job.communicate(timeout=60)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [-signal.SIGKILL, 0, 0], said
    assert not json.loads(progress.read_text())["complete"]
    assert "part 2/3 is done, with 42 images; the data set is complete once all parts are (part 1/3 is" in said[1]
    early = pack(large_images, out, *LARGE, "--merge")
    assert early.returncode == 3, early.stderr
    assert "part 1/3 is not done (20 images so far). Run effuse-pack" in early.stderr
    refused = run("effuse-inspect", "--dataset", out)
    assert refused.returncode == 3 and "is being packed in 3 parts" in refused.stderr
    in_one_go = pack(large_images, out, *LARGE)
    assert in_one_go.returncode == 2 and "and not in one go" in in_one_go.stderr
    checked = pack(large_images, out, *LARGE, "--part", "1/3", "--check")
    assert checked.returncode == 0 and "20 images of them packed already" in checked.stderr

    again = start_part(large_images, out, "1/3")
    messages = again.communicate(timeout=60)[1]
    assert again.returncode == 0 and "all parts are done" in messages, messages
    assert "82 images in 4 shards" in messages and "8 images could not be read" in messages
    for arguments in (("--part", "3/3"), ("--merge",), ("--merge", "--check"), ()):
        idle = pack(large_images, out, *LARGE, *arguments)
        assert idle.returncode == 0, idle.stderr
        assert ("fine" if "--check" in arguments else "nothing to do") in idle.stderr
    straight = pack(large_images, tmp_path / "straight", *LARGE, "--max-bad-share", 0.1)
    assert straight.returncode == 0, straight.stderr
    assert contents(out) == contents(tmp_path / "straight")


def test_parts_and_their_flags(images, tmp_path):
    wrong = pack(tmp_path / "in", tmp_path / "out", "--part", "4/3")
    assert wrong.returncode == 2 and 'pack.part is "4/3"; it must be I/N' in wrong.stderr
    for other in (("--part", "1/3"), ("--fresh",)):
        both = pack(tmp_path / "in", tmp_path / "out", "--merge", *other)
        assert both.returncode == 2 and "--merge goes with neither --part" in both.stderr, both.stderr
    for check in ((), ("--check",)):
        none = pack(tmp_path / "in", tmp_path / "out", "--merge", *check)
        assert none.returncode == 3 and "holds no part of a data set" in none.stderr, none.stderr
    assert pack(tmp_path / "in", tmp_path / "out", "--part", "1/3", "--check").returncode == 0
    assert not (tmp_path / "out").exists()


def test_a_stop_signal_leaves_whole_shards_and_exit_75(large_images, tmp_path):
    code, messages = interrupt_after_first_shard(large_images, tmp_path / "out", signal.SIGTERM)
    assert code == 75 and "SIGTERM" in messages, messages
    assert not [name for name in visible_and_hidden(tmp_path / "out") if ".tmp-" in name]
    assert pack(large_images, tmp_path / "out", *LARGE).returncode == 0


def test_a_finished_data_set_is_left_alone(images, tmp_path):
    arguments = (tmp_path / "in", tmp_path / "out", "--image-size", 16)
    assert pack(*arguments).returncode == 0
    before = (tmp_path / "out/shard-00000.h5").stat().st_mtime_ns
    again = pack(*arguments)
    assert again.returncode == 0 and "nothing to do" in again.stderr
    other = pack(tmp_path / "in", tmp_path / "out", "--image-size", 8)
    assert other.returncode == 2 and "pack.image_size is 16 there and 8 here" in other.stderr
    assert (tmp_path / "out/shard-00000.h5").stat().st_mtime_ns == before
    assert pack(tmp_path / "in", tmp_path / "out", "--image-size", 8, "--fresh").returncode == 0


def test_unreadable_images_are_quarantined(images, tmp_path):
    folder = tmp_path / "in/dog"
    (folder / "zero.png").touch()
    (folder / "text, not image.png").write_text("hello")
    Image.fromarray(images["dog/0.png"]).save(folder / "cut.jpg", quality=95)
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[:len(whole) // 2])
    (folder / "link.png").symlink_to("/nowhere/link.png")
    (folder / "lost.png").symlink_to(os.fsdecode(b"/nowhere/\xff.png"))
    os.mkfifo(folder / "pipe.png")
    (folder / "linked.png").symlink_to(tmp_path / "in/dog/1.png")
    result = pack(tmp_path / "in", tmp_path / "out", "--image-size", 16, "--max-bad-share", 0.2)
    assert result.returncode == 0 and "quarantine.csv" in result.stderr, result.stderr
    with open(tmp_path / "out/quarantine.csv", newline="") as file:
        reasons = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert list(reasons) == ["dog/cut.jpg", "dog/link.png", "dog/lost.png", "dog/pipe.png",
                             "dog/text, not image.png", "dog/zero.png"]
    assert reasons["dog/link.png"] == "a link to /nowhere/link.png, which is not there"
    assert reasons["dog/lost.png"] == "a link to /nowhere/\N{REPLACEMENT CHARACTER}.png, which is not there"
    assert reasons["dog/pipe.png"] == "not a regular file"
    assert "truncated JPEG" in reasons["dog/cut.jpg"]
    assert "neither a PNG, a JPEG nor a WebP" in reasons["dog/text, not image.png"]
    assert "empty (0 bytes)" in reasons["dog/zero.png"]
    with h5py.File(tmp_path / "out/shard-00000.h5") as shard:
        assert shard["images"].shape[0] == 33 + 1

    strict = pack(tmp_path / "in", tmp_path / "strict", "--image-size", 16)
    assert strict.returncode == 3 and "pack.max_bad_share = 0.01" in strict.stderr
    assert "dog/cut.jpg" in strict.stderr
    assert visible_and_hidden(tmp_path / "strict") == ["quarantine.csv"]


def test_nothing_to_pack(tmp_path):
    missing = pack(tmp_path / "none", tmp_path / "out")
    assert missing.returncode == 3 and "does not exist" in missing.stderr
    (tmp_path / "in").mkdir()
    empty = pack(tmp_path / "in", tmp_path / "out")
    assert empty.returncode == 3 and "holds no image" in empty.stderr
    (tmp_path / "in/a.png").write_text("x")
    (tmp_path / "in/b.jpg").write_text("y")
    unreadable = pack(tmp_path / "in", tmp_path / "out", "--max-bad-share", 1)
    assert unreadable.returncode == 3 and "none of the 2 images" in unreadable.stderr


def test_bad_usage(images, tmp_path):
    typo = pack(tmp_path / "in", tmp_path / "out", "--set", "pack.imagesize=3")
    assert typo.returncode == 2 and "image_size" in typo.stderr
    (tmp_path / "bad.toml").write_text("[pack]\nworker = 2\n")
    file = run("effuse-pack", "--config", tmp_path / "bad.toml")
    assert file.returncode == 2 and "bad.toml:2:1" in file.stderr and "workers" in file.stderr
    two = pack(tmp_path / "in", tmp_path / "out", "--channels", 2)
    assert two.returncode == 2 and "neither 1 (grey) nor 3 (RGB)" in two.stderr
    nothing = run("effuse-pack")
    assert nothing.returncode == 2 and "--input" in nothing.stderr
    assert not (tmp_path / "out").exists()


def test_check_writes_nothing(images, tmp_path):
    result = pack(tmp_path / "in", tmp_path / "out", "--image-size", 16, "--check")
    assert result.returncode == 0 and "33 images in 3 classes" in result.stderr, result.stderr
    assert not (tmp_path / "out").exists()


def forbid_files_above_one_mebibyte():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def test_a_file_that_may_not_grow_leaves_nothing(large_images, tmp_path):
    result = pack(large_images, tmp_path / "out", *LARGE[:2], "--shard-size-mib", 3,
                  preexec_fn=forbid_files_above_one_mebibyte)
    assert result.returncode == 1 and "File too large" in result.stderr, result.stderr
    assert visible_and_hidden(tmp_path / "out") == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2.5 MiB: room for two shards of the large images."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2560k", "effuse-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root; "
                    "test_a_file_that_may_not_grow_leaves_nothing covers the rest")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_whole_shards_and_continues_when_there_is_room(
        large_images, small_disk, tmp_path):
    full = pack(large_images, small_disk / "out", *LARGE)
    assert full.returncode == 1 and "No space left" in full.stderr, full.stderr
    assert visible_and_hidden(small_disk / "out") == [
        "dataset.json", "shard-00000.h5", "shard-00001.h5"]
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    assert pack(large_images, small_disk / "out", *LARGE).returncode == 0
    assert pack(large_images, tmp_path / "straight", *LARGE).returncode == 0
    assert contents(small_disk / "out") == contents(tmp_path / "straight")


def test_inspect_describes_and_draws(images, tmp_path):
    pack(tmp_path / "in", tmp_path / "out", "--image-size", 16)
    result = run("effuse-inspect", "--dataset", tmp_path / "out", "--verify", "--sheet",
                 tmp_path / "sheets/sheet.png", "--sheet-images", 12)
    assert result.returncode == 0, result.stderr
    mean = np.stack(list(images.values())).reshape(-1, 3).mean(0) / 255
    assert "33 of 16x16, RGB" in result.stdout
    assert "all 33 checksums are right" in result.stdout
    for name, value in zip(("red", "green", "blue"), mean):
        assert any(line.startswith(name) and f"{value:.4f}" in line
                   for line in result.stdout.splitlines()), result.stdout
    with Image.open(tmp_path / "sheets/sheet.png") as sheet:
        assert sheet.size[0] == 2 + 3 * (64 + 2)


def test_inspect_names_a_damaged_image(images, tmp_path):
    pack(tmp_path / "in", tmp_path / "out", "--image-size", 16)
    shard = tmp_path / "out/shard-00000.h5"
    damaged = bytearray(shard.read_bytes())
    damaged[bytes(damaged).index(images["dog/3.png"].tobytes()) + 100] ^= 0x40
    shard.write_bytes(damaged)
    row = sorted(images, key=str.encode).index("dog/3.png")
    result = run("effuse-inspect", "--dataset", tmp_path / "out", "--verify")
    assert result.returncode == 3, result.stderr
    assert "1 of 33 images are damaged" in result.stdout
    assert f"shard-00000.h5  image {row}  dog/3.png" in result.stdout

    shard.write_bytes(damaged[:-1])
    truncated = run("effuse-inspect", "--dataset", tmp_path / "out")
    assert truncated.returncode == 3 and "truncated" in truncated.stderr


def test_inspect_refuses_what_is_no_data_set(tmp_path):
    for folder, message in ((tmp_path / "none", "does not exist"), (tmp_path, "is empty")):
        result = run("effuse-inspect", "--dataset", folder)
        assert result.returncode == 3 and message in result.stderr, result.stderr
    assert run("effuse-inspect").returncode == 2
