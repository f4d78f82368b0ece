"""Our safetensors files and those of the safetensors package, each read by the other."""

import hashlib
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "golden" / "checkpoint"))

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    import make

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error

PROGRAM = pathlib.Path(os.environ["EFFUSE_BIN"]) / "safetensors_copy"


@pytest.fixture(autouse=True)
def references(capsys):
    if missing is not None:
        with capsys.disabled():
            print(f"\nNOT COMPARED LIVE: torch and safetensors cannot be imported ({missing}); the format is held "
                  "against its golden file alone", file=sys.stderr)
        pytest.skip("no torch, no safetensors")


def copy(tensors, folder, metadata=None):
    """What Python reads of our copy of the file that Python wrote."""
    save_file(tensors, folder / "python", metadata=metadata)
    said = subprocess.run([PROGRAM, folder / "python", folder / "ours"], check=True, capture_output=True, text=True)
    data = (folder / "ours").read_bytes()
    assert said.stdout.split() == [str(len(data)), hashlib.sha256(data).hexdigest()]
    assert int.from_bytes(data[:8], "little") % 8 == 0
    return load_file(folder / "ours")


def assert_equal(ours, expected):
    assert set(ours) == set(expected)
    for name, tensor in expected.items():
        assert ours[name].dtype == tensor.dtype and ours[name].shape == tensor.shape, name
        assert ours[name].numpy(force=True).tobytes() == tensor.numpy(force=True).tobytes() \
            if tensor.dtype != torch.bfloat16 else torch.equal(ours[name], tensor), name


def test_every_type_goes_there_and_back(tmp_path):
    assert_equal(copy(make.tensors(), tmp_path), make.tensors())


def test_random_weights_with_odd_sizes_and_names(tmp_path):
    torch.manual_seed(1)
    tensors = {f"block.{i}.größe \"{i}\"": torch.randn(i, 3).to(dtype)
               for i, dtype in enumerate([torch.float16, torch.float32, torch.bfloat16, torch.float64])}
    assert_equal(copy(tensors, tmp_path), tensors)


def test_metadata_stays(tmp_path):
    copy({"w": torch.ones(2)}, tmp_path, metadata={"format": "pt", "step": "12"})
    with safe_open(tmp_path / "ours", "pt") as file:
        assert file.metadata() == {"format": "pt", "step": "12"}


def test_a_file_without_tensors(tmp_path):
    assert copy({}, tmp_path) == {}


def test_a_truncated_file_is_refused_by_name(tmp_path):
    save_file({"weight": torch.ones(100)}, tmp_path / "python")
    data = (tmp_path / "python").read_bytes()
    (tmp_path / "python").write_bytes(data[:-4])
    said = subprocess.run([PROGRAM, tmp_path / "python", tmp_path / "ours"], capture_output=True, text=True)
    assert said.returncode == 1
    assert f"{tmp_path}/python is no valid safetensors file: tensor weight ends at byte 400 of 396" in said.stderr
