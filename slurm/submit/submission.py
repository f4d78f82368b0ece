"""One job: checked, composed and submitted."""

import glob
import shlex

from submit import records, slurm
from submit.errors import Failed, Refused


class Submission:
    def __init__(self, job, options=()):
        """`options` of sbatch, which go before those of the site."""
        self.job = job
        self.run_folder = job.run_folder()
        options = [*job.site.options(job.kind), *options]
        if any(word.startswith(("--output", "-o", "--error", "-e")) for word in options):
            raise Refused("the log of a job is kept in the folder of its run. Leave out --output and --error.")
        self.is_array = job.kind == "pack" or any(word.startswith(("--array", "-a")) for word in options)
        if self.is_array and job.kind in ("train", "evaluate"):
            raise Refused(f"elements of an array would all do the same work: {job.program} has no parts. Leave out --array.")
        folder = str(self.run_folder / "slurm").replace("%", "%%")
        self.command = ["sbatch", "--parsable", f"--output={folder}/{self._log_name('%A', '%a', '%j')}", *options,
                        str(job.script), str(job.config), *job.arguments]

    def _log_name(self, array, element, job):
        return f"{self.job.program}-{f'{array}_{element}' if self.is_array else job}.out"

    def require_alone(self):
        """Refuses where a job of this kind is at work for this run."""
        known = slurm.elements()
        for record in records.read(self.run_folder):
            active = slurm.active_states(known, record["job"])
            if active and (record["kind"], record["result"]) == (self.job.kind, str(self.job.result())):
                raise Refused(f"job {record['job']} ({record['kind']}, {active[0].lower()}) is at work for "
                              f"{self.run_folder}. Wait for it, or: effuse-submit cancel {shlex.quote(self.run_folder.name)}")

    def require_configuration(self):
        """Sees to the settings and all they name."""
        return self.job.check()

    def require_allocation(self):
        """Asks Slurm whether it would take the job, and when it could start."""
        return slurm.test(self.command, self.job.site.environment())

    def line(self):
        settings = [f"{key}={shlex.quote(value)}" for key, value in sorted(self.job.site.settings.items())
                    if key.startswith("SBATCH_")]
        if self.job.site.name:
            settings.append(f"EFFUSE_SITE={self.job.site.name}")
        return " ".join([*settings, f"EFFUSE_HOME={shlex.quote(self.job.site.environment()['EFFUSE_HOME'])}",
                         shlex.join(self.command)])

    def submit(self, *dependency):
        """Returns the job's number and the name of its log."""
        (self.run_folder / "slurm").mkdir(parents=True, exist_ok=True)
        command = [self.command[0], *dependency, *self.command[1:]]
        number = slurm.submit(command, self.job.site.environment())
        log = f"{glob.escape(str(self.run_folder))}/slurm/{self._log_name(number, '*', number)}"
        try:
            records.write(self.job, number, command, log, self.run_folder)
        except OSError as error:
            slurm.cancel([number])
            raise Failed(f"job {number} was cancelled, as no record of it can be kept: {error}")
        return number, log
