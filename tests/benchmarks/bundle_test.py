"""scripts/bundle: what it gathers runs with the libraries it gathered, and it replaces nothing but a bundle."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])


def bundle(*arguments, cwd=None):
    return subprocess.run([SOURCE / "scripts/bundle", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_bundle_runs(tmp_path):
    for _ in range(2):
        made = bundle("place", cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    size = sum(file.stat().st_size for file in (tmp_path / "place").rglob("*"))
    assert size < 64 << 20
    script = """set -e
        source place/environment.sh
        which effuse-train effuse-pack
        effuse-train --version
        ldd "$(which effuse-train)"
    """
    python = SOURCE / ".deps/python/bin"
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
                         env={**os.environ, "PATH": f"{python}:{os.environ['PATH']}"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert str(tmp_path / "place/bin/effuse-train") in ran.stdout and "effuse-train 0." in ran.stdout
    assert f"libhdf5_serial.so.103 => {tmp_path}/place/lib/" in ran.stdout and "not found" not in ran.stdout
    assert not list((tmp_path / "place/lib").glob("libtorch*")) and not list((tmp_path / "place/lib").glob("libc.*"))


def test_another_folder_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").touch()
    refused = bundle(tmp_path / "photos")
    assert refused.returncode == 2 and "something else" in refused.stderr
    assert (tmp_path / "photos/a.png").exists()
