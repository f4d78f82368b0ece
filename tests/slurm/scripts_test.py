"""What slurm/common.sh and slurm/site.sh do where it takes no cluster to see it."""

import os
import subprocess
import sys

import pytest

from workplace import SOURCE

sys.path.insert(0, str(SOURCE / "slurm"))
from submit import site  # noqa: E402
from submit.errors import Refused  # noqa: E402

JOB = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n1", "SLURM_NTASKS": "1"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of Effuse with sites of its own."""
    (tmp_path / "slurm/sites").mkdir(parents=True)
    for name in ("common.sh", "site.sh"):
        (tmp_path / "slurm" / name).symlink_to(SOURCE / "slurm" / name)
    monkeypatch.setattr(site, "SLURM", tmp_path / "slurm")
    monkeypatch.setattr(site, "HOME", tmp_path)
    return tmp_path


def bash(home, script, **variables):
    """The finished process of a script that has sourced common.sh."""
    return subprocess.run(["bash", "-c", f'source "$EFFUSE_HOME/slurm/common.sh"\n{script}'], cwd=home, capture_output=True,
                          text=True, check=False, env={**os.environ, **JOB, "EFFUSE_HOME": str(home), **variables})


# --- A site's file ---------------------------------------------------------------------------------------------------

ENDS_THE_SHELL = {"exit": "EFFUSE_BIN=/nowhere\nexit 0\n", "set -e": "set -e\nfalse\n", "Windows": "EFFUSE_BIN=/nowhere\r\n",
                  "bash": "if\n"}


@pytest.mark.parametrize("name", ENDS_THE_SHELL)
def test_a_site_that_cannot_be_read_to_its_end_is_refused(home, name):
    file = home / "slurm/sites/bad.env"
    file.write_text(ENDS_THE_SHELL[name])
    done = bash(home, "echo alive", EFFUSE_SITE="bad")
    assert (done.returncode, done.stdout) == (2, "")
    assert str(file) in done.stderr and name in done.stderr, done.stderr
    with pytest.raises(Refused, match=f"bad.env(.|\n)*{name}"):
        site.Site("bad")


def test_a_site_that_replaces_the_shell_is_refused(home):
    (home / "slurm/sites/bad.env").write_text("exec true\n")
    with pytest.raises(Refused, match="bad.env replaces the shell"):
        site.Site("bad")


def test_a_site_leaves_nothing_behind_but_variables(home):
    (home / "slurm/sites/strict.env").write_text("set -euo pipefail\ntrap '' USR1 TERM\ntrap 'echo lost' EXIT\nWORD=set\n")
    done = bash(home, 'false; echo "$UNSET"; kill -USR1 $$; kill -TERM $$; echo "$warned $terminated"; env | grep ^WORD=',
                EFFUSE_SITE="strict")
    assert (done.returncode, done.stdout, done.stderr) == (0, "\nyes yes\nWORD=set\n", "")


def test_what_a_site_says_is_not_what_a_program_says(home, capfd):
    (home / "slurm/sites/noisy.env").write_text("cat /nowhere\n")
    noisy = site.Site("noisy")
    assert "/nowhere" in capfd.readouterr().err
    assert noisy.run("bash", "-c", "echo said >&2").stderr == "said\n"


# --- Restarts in vain ------------------------------------------------------------------------------------------------

def attempts(home, *, files=(), number=5):
    """The exit codes of that many attempts of a job that is killed as soon as it has begun. `files`: one is made in each."""
    codes = []
    for attempt in range(number):
        done = bash(home, 'begin "" made\nkill -KILL $$', SLURM_RESTART_COUNT=str(attempt))
        codes.append(done.returncode)
        if files:
            file = home / files[attempt]
            file.parent.mkdir(exist_ok=True)
            file.write_text("something")
    return codes


def test_the_fourth_restart_in_vain_is_the_last(home):
    assert attempts(home) == [-9, -9, -9, -9, 1]
    assert not list(home.glob(".made.*"))


def test_files_elsewhere_and_temporary_ones_are_no_headway(home):
    others = ["made2/a", "made.log", "made-3", "made/.a.tmp-1", "made/.b.tmp-1"]
    assert attempts(home, files=others) == [-9, -9, -9, -9, 1]


def test_a_file_now_and_then_is_headway(home):
    now_and_then = ["made/a", "made/a", "made/a", "made/b", "made/b", "made/b", "made/b"]
    assert attempts(home, files=now_and_then, number=7) == [-9] * 7


def test_a_folder_that_cannot_be_written_ends_no_job(home):
    (home / "made").mkdir()
    done = bash(home, 'begin "" /proc/made\necho begun', SLURM_RESTART_COUNT="9")
    assert done.stdout.endswith("begun\n")
