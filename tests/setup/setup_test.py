"""scripts/setup where it may install nothing: it says what is missing, and changes nothing; with all there it goes on."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
TOOLS = ("bash", "cat", "dirname", "sed", "tr", "sha256sum", "nvcc",
         "cmake", "g++", "ccache", "git", "pkg-config", "clang-format", "curl", "ps", "mpirun", "h5dump", "sbatch",
         "shellcheck", "chromium", "promtool")


def program(path, line):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@pytest.fixture
def place(tmp_path):
    """A copy of scripts/ and a path of programs, for a user who is not root and has no sudo."""
    shutil.copytree(SOURCE / "scripts", tmp_path / "scripts")
    path = tmp_path / "bin"
    for tool in TOOLS:
        if found := shutil.which(tool):
            program(path / tool, f'exec "{found}" "$@"')
    program(path / "python3", f'exec "{sys.base_prefix}/bin/python3" "$@"')  # no shim that needs more
    program(path / "id", "echo 1000")
    return tmp_path


def setup(place, *arguments, **variables):
    kept = {name: value for name, value in os.environ.items()
            if name not in ("Torch_DIR", "CMAKE_PREFIX_PATH", "MPI_HOME", "HDF5_ROOT", "BOOST_ROOT")}
    return subprocess.run([place / "scripts/setup", *arguments], capture_output=True, text=True, check=False,
                          env={**kept, "PATH": str(place / "bin"), **variables})


def test_it_names_what_is_missing_and_installs_nothing(place):
    done = setup(place)
    assert done.returncode == 1
    names, = [line.split() for line in done.stderr.splitlines() if "ninja-build" in line]
    assert names == ["ninja-build"]
    assert "Torch_DIR, MPI_HOME, HDF5_ROOT" in done.stderr
    assert not (place / ".deps").exists()


def test_it_lists_what_is_missing(place):
    (place / "bin/mpirun").unlink()
    done = setup(place, "--list")
    assert done.returncode == 0 and done.stdout.split() == ["ninja-build", "openmpi-bin"], done.stdout


def test_it_finds_what_variables_lead_to(place):
    """An MPI of one's own in place of the package."""
    (place / "bin/mpirun").unlink()
    program(place / "own-mpi/bin/mpirun", "true")
    done = setup(place, "--list", MPI_HOME=str(place / "own-mpi"))
    assert done.stdout.split() == ["ninja-build"], done.stdout


def test_with_all_there_nothing_is_to_be_done(place):
    (place / "bin/ninja").symlink_to(shutil.which("ninja"))
    (place / ".deps").symlink_to(SOURCE / ".deps")
    stamp = (SOURCE / ".deps/installed").read_text()
    done = setup(place)
    assert done.returncode == 0 and done.stdout.endswith("ready\n"), done.stdout + done.stderr
    assert "installing" not in done.stdout and (SOURCE / ".deps/installed").read_text() == stamp


def test_an_unknown_argument_is_refused(place):
    done = setup(place, "--cuda")
    assert done.returncode == 2 and "--cuda" in done.stderr
