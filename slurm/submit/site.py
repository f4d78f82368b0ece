"""The cluster: settings of slurm/sites/<cluster>.env, and programs of Effuse run as they are installed there."""

import os
import pathlib
import shlex
import subprocess
import sys

from submit.errors import Refused

SLURM = pathlib.Path(__file__).resolve().parents[1]
HOME = SLURM.parent


class Site:
    def __init__(self, name):
        """`name` of a file in slurm/sites; empty: nothing but the environment."""
        self.name = name
        self.settings = {}
        if name:
            self.settings = self._read()

    def _read(self):
        file = SLURM / "sites" / f"{self.name}.env"
        if not file.is_file():
            there = ", ".join(sorted(path.stem for path in (SLURM / "sites").glob("*.env")))
            raise Refused(f"there is no {file}. Copy one of these, or name one: {there}")
        # Bash alone knows what a file for bash says; only what it adds is of interest.
        script = 'fail() { echo "$2" >&2; exit "$1"; }; source "$EFFUSE_HOME/slurm/site.sh" >&2; exec env -0'
        done = _run_bash(script, env=self.environment())
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        after = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
        if "EFFUSE_HOME" not in after:
            raise Refused(f"{file} replaces the shell that reads it: it may set variables, but not call exec.")
        sys.stderr.write(done.stderr)
        own = ("_", "SHLVL", "PWD", "OLDPWD")
        typed = [key for key in os.environ if key.startswith("EFFUSE_")]  # goes before the file
        return {key: value for key, value in after.items()
                if key not in (*own, *typed) and os.environ.get(key) != value}

    def environment(self):
        """That of sbatch, and so of the job."""
        settings = {**self.settings, "EFFUSE_HOME": str(HOME)}
        if self.name:
            settings["EFFUSE_SITE"] = self.name
        return {**os.environ, **settings}

    def options(self, kind):
        """Those of sbatch for a kind of job."""
        environment = self.environment()
        words = []
        for key in ("EFFUSE_SBATCH", f"EFFUSE_SBATCH_{kind.upper()}"):
            try:
                words += shlex.split(environment.get(key, ""))
            except ValueError as error:
                raise Refused(f"{key} is {environment[key]}, of which no words can be made: {error}")
        return words

    def run(self, program, *arguments):
        """The finished process of a program of Effuse, run here as a batch script would run it."""
        # A NUL ends what the site's file says, which has been shown when it was read.
        script = 'source "$EFFUSE_HOME/slurm/common.sh" >/dev/null && printf "\\0" >&2 && run_here "$@"'
        done = _run_bash(script, "bash", program, *map(str, arguments), env=self.environment())
        noise, began, said = done.stderr.partition("\0")
        done.stderr = said if began else noise
        return done


def _run_bash(script, *words, env):
    return subprocess.run(["bash", "-c", script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
