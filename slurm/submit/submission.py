"""Jobs checked, composed and submitted."""

import os
import shlex

from submit import records, slurm
from submit.errors import Failed, Refused
from submit.interruption import Interrupted, deferred
from submit.sbatch_options import array_of


class Submission:
    """One job."""

    def __init__(self, job, options=()):
        """`options` of sbatch, which go before those of the site."""
        self.job = job
        self.run_folder = job.run_folder()
        options = [*job.site.options(job.kind), *options]
        array = array_of(options, job.site.environment().get("EFFUSE_PARTS", ""))
        self.is_array = job.kind == "pack" or array is not None
        if self.is_array and job.kind in ("train", "evaluate"):
            raise Refused(f"elements of an array would all do the same work: {job.program} has no parts. Leave out --array.")
        folder = str(self.run_folder / "slurm").replace("%", "%%")
        self.command = ["sbatch", "--parsable", f"--output={folder}/{self._log_name('%A', '%a', '%j')}", *options,
                        str(job.script), str(job.config), *job.arguments]

    def _log_name(self, array, element, job):
        return f"{self.job.program}-{f'{array}_{element}' if self.is_array else job}.out"

    def run_for_commands(self):
        """The words by which effuse-submit status, logs and cancel find the run."""
        folder = self.run_folder.parent
        elsewhere = os.path.realpath(folder) != os.path.realpath("runs")
        return shlex.join([*(["--runs", str(folder)] if elsewhere else []), self.run_folder.name])

    def require_alone(self):
        """Refuses where a job of this kind is at work for this result."""
        known = slurm.elements()
        own = (self.job.kind, os.path.realpath(self.job.result()))
        for record in records.read(self.run_folder):
            active = slurm.active_states(known, record["job"])
            if active and (record["kind"], os.path.realpath(record["result"])) == own:
                raise Refused(f"job {record['job']} ({record['kind']}, {active[0].lower()}) is at work for "
                              f"{self.run_folder}. Wait for it, or: effuse-submit cancel {self.run_for_commands()}")

    def require_configuration(self):
        """Sees to the settings and all they name."""
        return self.job.check()

    def require_allocation(self):
        """Asks Slurm whether it would take the job, and when it could start."""
        return slurm.test(self.command, self.job.site.environment())

    def line(self, dependency=()):
        """To be typed into a shell, which may replace parts of the dependency."""
        settings = [f"{key}={shlex.quote(value)}" for key, value in sorted(self.job.site.settings.items())
                    if key.startswith("SBATCH_")]
        if self.job.site.name:
            settings.append(f"EFFUSE_SITE={self.job.site.name}")
        return " ".join([*settings, f"EFFUSE_HOME={shlex.quote(self.job.site.environment()['EFFUSE_HOME'])}",
                         self.command[0], *dependency, shlex.join(self.command[1:])])

    def line_before(self):
        """What else is to be typed: Slurm makes no folders for logs."""
        return f"mkdir -p {shlex.quote(str(self.run_folder / 'slurm'))}"

    def submit(self, dependency=()):
        """Returns the job's number and the name of its log."""
        (self.run_folder / "slurm").mkdir(parents=True, exist_ok=True)
        command = [self.command[0], *dependency, *self.command[1:]]
        number = slurm.submit(command, self.job.site.environment())
        log = self.run_folder / "slurm" / self._log_name(number, "*", number)
        try:
            records.write(self.job, number, command, log, self.run_folder)
        except OSError as error:
            slurm.cancel([number])
            raise Failed(f"job {number} was cancelled, as no record of it can be kept: {error}")
        return number, log


def after(job):
    """The options by which a job waits until that one has ended well, and is cancelled if it does not."""
    return f"--dependency=afterok:{job}", "--kill-on-invalid-dep=yes"


def submit_chain(submissions, announce):
    """Each to begin when the one before has ended well. All of them, or none. `announce` is called with submission, number
    and log of each."""
    numbers = []
    try:
        with deferred() as signals:
            for submission in submissions:
                number, log = submission.submit(after(numbers[-1]) if numbers else ())
                numbers.append(number)
                announce(submission, number, log)
                if signals:
                    raise Interrupted(signals[0])
    except (Refused, OSError):
        if numbers:
            slurm.cancel(numbers)
            print(f"cancelled  what was submitted: {' '.join(numbers)}", flush=True)
        raise
