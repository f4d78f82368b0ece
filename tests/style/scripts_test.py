"""Shell scripts are clean by shellcheck, the Containerfile by hadolint, and effuse-submit is Python that old login nodes run."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
OLDEST_PYTHON = (3, 8)


def tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=SOURCE, capture_output=True, text=True, check=True)
    return [SOURCE / name for name in listed.stdout.splitlines() if (SOURCE / name).is_file()]


def is_shell(path):
    if path.suffix in (".sh", ".sbatch") or path.match("slurm/sites/*.env"):
        return True
    with open(path, "rb") as file:
        return file.readline() in (b"#!/usr/bin/env bash\n", b"#!/bin/bash\n")


def test_shell_scripts_are_clean():
    scripts = [path for path in tracked_files() if is_shell(path)]
    assert {"train.sbatch", "common.sh", "setup", "gpu-infiniband.env"} <= {path.name for path in scripts}
    done = subprocess.run(["shellcheck", *scripts], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_container_is_clean():
    linter = pathlib.Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, SOURCE / "slurm/container/Containerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted((SOURCE / "slurm").glob("submit/*.py")), ids=lambda path: path.name)
def test_effuse_submit_is_plain_python(path):
    tree = ast.parse(path.read_text(), feature_version=OLDEST_PYTHON)
    imported = {name.split(".")[0] for node in ast.walk(tree) for name in
                ([alias.name for alias in node.names] if isinstance(node, ast.Import) else
                 [node.module] if isinstance(node, ast.ImportFrom) else [])}
    assert imported <= {"submit", *sys.stdlib_module_names}
