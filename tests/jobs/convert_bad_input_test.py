"""Files that are no weights, or more than weights: refused with a sentence, and nothing in them happens."""

import builtins
import io
import os
import pickle
import struct
import zipfile

import pytest
from safetensors.numpy import save_file
import numpy as np

from programs import run


def refused(path, *messages, code=1):
    done = run("effuse-convert", "--input", path, "--output", path.parent / "out", "--weights", "model")
    assert done.returncode == code, done.stderr
    assert all(message in done.stderr for message in messages), done.stderr
    assert done.stderr.startswith("error: ") and not (path.parent / "out").exists()


def write_archive(path, pickled, records=None, compression=zipfile.ZIP_STORED):
    """A file as torch.save writes it."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        if pickled is not None:
            archive.writestr("archive/data.pkl", pickled)
        for name, content in {"byteorder": b"little", **(records or {})}.items():
            archive.writestr("archive/" + name, content)
    return path


class Calls:
    """Pickles as a call."""

    def __init__(self, callable_, *arguments):
        self.call = callable_, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("named, protocol", [("system", 2), ("system", 4), ("eval", 2), ("eval", 5), ("exec", 3),
                                             ("getattr", 4)])
def test_a_pickle_that_calls_something_is_refused_and_does_not_call_it(tmp_path, named, protocol):
    trace = tmp_path / "trace"
    calls = {"system": Calls(os.system, f"touch {trace}"),
             "eval": Calls(builtins.eval, f"open({str(trace)!r}, 'w')"),
             "getattr": Calls(builtins.getattr, "a", "upper"),
             "exec": Calls(builtins.exec, f"open({str(trace)!r}, 'w')")}
    content = pickle.dumps({"model": {"weight": calls[named]}}, protocol)
    refused(write_archive(tmp_path / "a.pt", content), f".{named}, which weights do not need",
            "nothing in it was executed", str(tmp_path / "a.pt"))
    assert not trace.exists()


def test_a_bare_pickle_is_not_read_at_all(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Calls(os.system, f"touch {tmp_path}/trace")))
    refused(tmp_path / "a.pt", "bare pickle", "without executing it")
    assert os.listdir(tmp_path) == ["a.pt"]


def test_archives_that_are_not_whole(tmp_path):
    path = tmp_path / "a.pt"
    good = write_archive(path, pickle.dumps({"model": {}}, 2)).read_bytes()
    for end in (5, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:end])
        refused(path, "a.pt is no whole file of torch.save")
    refused(write_archive(path, None), "a zip file without data.pkl")
    refused(write_archive(path, pickle.dumps({"model": {}}, 2)[:-4]), "data.pkl is no pickle of weights")
    refused(write_archive(path, b""), "data.pkl is no pickle of weights")
    changed = bytearray(good)
    changed[good.index(b"model")] ^= 1
    path.write_bytes(changed)
    refused(path, "the contents of archive/data.pkl have changed", "CRC-32")
    refused(write_archive(path, pickle.dumps({}, 2), compression=zipfile.ZIP_DEFLATED), "is compressed")
    refused(write_archive(path, pickle.dumps({}, 2), {"byteorder": b"big"}), "big-endian")


def test_claims_of_sizes_that_are_not_there(tmp_path):
    """Neither a member nor a directory makes memory grow beyond the file."""
    path = tmp_path / "a.pt"
    good = bytearray(write_archive(path, pickle.dumps({"model": {}}, 2)).read_bytes())
    directory = good.index(b"PK\x01\x02")
    struct.pack_into("<II", good, directory + 20, 0xFFFFFFF0, 0xFFFFFFF0)
    path.write_bytes(good)
    refused(path, "claims 4294967280 bytes")
    end = good.index(b"PK\x05\x06")
    struct.pack_into("<I", good, end + 12, 0xFFFFFFF0)
    path.write_bytes(good)
    refused(path, "is no whole file of torch.save")


def state_of(sizes, strides, count, offset=0):
    """The pickle of {"w": tensor}, written as torch.save would."""
    buffer = io.BytesIO()

    def integer(n):
        return b"\x8a\x08" + struct.pack("<q", n)

    def text(word):
        return b"X" + struct.pack("<I", len(word)) + word

    def numbers(values):
        return b"(" + b"".join(map(integer, values)) + b"t"

    buffer.write(b"\x80\x02}" + text(b"w") + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text(b"storage"))
    buffer.write(b"ctorch\nFloatStorage\n" + text(b"0") + text(b"cpu") + integer(count) + b"tQ" + integer(offset))
    buffer.write(numbers(sizes) + numbers(strides) + b"\x89}tRs.")
    return buffer.getvalue()


@pytest.mark.parametrize("tensor, message", [
    (([1 << 40], [1], 1 << 40), "claims a storage of 1099511627776 elements"),
    (([2], [1], 3), "claims a storage of 3 elements, but archive/data/0 has 16 bytes"),
    (([5], [1], 4), "reaches beyond its storage"),
    (([1 << 40, 1 << 40], [0, 0], 4), "reaches beyond its storage"),
    (([2, 2], [3, 1], 4), "reaches beyond its storage"),
    (([-1], [1], 4), "sizes, strides or an offset that cannot be"),
    (([2], [1], 4, 3), "reaches beyond its storage"),
])
def test_tensors_that_are_not_there(tmp_path, tensor, message):
    refused(write_archive(tmp_path / "a.pt", state_of(*tensor), {"data/0": bytes(16)}), "tensor w", message)


def test_weights_of_no_known_network(tmp_path):
    content = state_of([4], [1], 4)
    refused(write_archive(tmp_path / "a.pt", content, {"data/0": bytes(16)}),
            "its tensors are of none that is known")
    refused(write_archive(tmp_path / "b.pt", content), "it lacks archive/data/0")
    for value, message in (([1, 2], "holds a list, no weights"), ({"epoch": 3}, "it holds epoch"), ({}, "empty")):
        refused(write_archive(tmp_path / "a.pt", pickle.dumps(value, 2)), message)


def test_files_of_other_kinds(tmp_path):
    (tmp_path / "a.txt").write_text("some text, long enough")
    refused(tmp_path / "a.txt", "is of no known format")
    (tmp_path / "empty.pt").touch()
    refused(tmp_path / "empty.pt", "is of no known format")
    refused(tmp_path / "none.pt", "does not exist")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "holds no checkpoint")


def test_a_name_in_a_file_cannot_steer_a_terminal(tmp_path):
    done = run("effuse-convert", "--input", write_archive(tmp_path / "a.pt", b"\x80\x02ca\x1b[31mEVIL\nx\n."),
               "--output", tmp_path / "out")
    assert done.returncode == 1 and "\x1b" not in done.stderr
    assert "the callable a\\x1b[31mEVIL.x" in done.stderr, done.stderr


def test_a_format_that_is_insisted_on(tmp_path):
    (tmp_path / "a.txt").write_text("some text, long enough")
    for form, message in (("iddm", "no whole file of torch.save"), ("safetensors", "no valid safetensors file"),
                          ("diffusers", "is no folder of diffusers"), ("effuse", "holds no checkpoint")):
        done = run("effuse-convert", "--input", tmp_path / "a.txt", "--output", tmp_path / "out", "--from", form)
        assert done.returncode == 1 and message in done.stderr, done.stderr


def test_safetensors_without_a_model(tmp_path):
    save_file({"weight": np.ones(3, np.float32)}, tmp_path / "a.safetensors")
    refused(tmp_path / "a.safetensors", "does not say which network and schedule", '"effuse"')
    save_file({"weight": np.ones(3, np.float32)}, tmp_path / "a.safetensors", metadata={"effuse": "{}"})
    refused(tmp_path / "a.safetensors", "a.safetensors's metadata is malformed")
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 40)
    refused(tmp_path / "a.safetensors", "is no valid safetensors file")


def test_sampling_from_a_torch_file_says_to_convert_it(tmp_path):
    write_archive(tmp_path / "a.pt", pickle.dumps({"model": {}}, 2))
    done = run("effuse-sample", "--weights", tmp_path / "a.pt", "--output", tmp_path / "out")
    assert done.returncode == 2 and f"effuse-convert --input {tmp_path}/a.pt" in done.stderr
