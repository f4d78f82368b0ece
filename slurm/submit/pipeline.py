"""pack, train, sample, evaluate: each job begins when the one before has ended well. What is done is left out."""

import shlex

from submit import slurm
from submit.errors import Refused
from submit.job import Job
from submit.submission import Submission


def missing_steps(config, site):
    """The jobs that are to be run: the first that is not done, and all that depend on it."""
    jobs = [Job(kind, config, (), site) for kind in Job.KINDS]
    for number, job in enumerate(jobs):
        if not job.is_done():
            require_no_older_samples(jobs[number:])
            return jobs[number:]
        job.check()  # that it was done with these settings
        print(f"{job.kind:<10} is done already: {job.result()}")
    return []


def require_no_older_samples(jobs):
    """effuse-sample would refuse, after all the training, to add to images of weights that are no more."""
    kinds = {job.kind: job for job in jobs}
    if "train" in kinds and (kinds["sample"].result() / "samples.json").exists():
        raise Refused(f"{kinds['sample'].result()} holds images of earlier weights, but training is to go on. Choose another "
                      "sampling.output, or move them away.")


def submit_pipeline(config, site, options, mode):
    submissions = [Submission(job, options) for job in missing_steps(config, site)]
    if not submissions:
        print("nothing to do")
        return
    require_output(submissions)
    for submission in submissions:
        submission.require_alone()
    # What the later ones read is not there yet.
    print(f"checked    {submissions[0].require_configuration()}")
    for submission in submissions:
        print(f"allocation {submission.job.kind}: {submission.require_allocation()}")
    if mode == "check":
        return
    if mode == "dry-run":
        for submission in submissions:
            print(submission.line())
        return
    submit_chain(submissions)


def require_output(submissions):
    for submission in submissions:
        if str(submission.job.result()) == ".":
            raise Refused(f"{submission.job.config} does not say where {submission.job.program} is to write its result.")


def submit_chain(submissions):
    """All of them, or none."""
    submitted = []
    try:
        for submission in submissions:
            after = [f"--dependency=afterok:{submitted[-1]}", "--kill-on-invalid-dep=yes"] if submitted else []
            number, log = submission.submit(*after)
            print(f"submitted  job {number}: {submission.job.kind:<8}  log {log}")
            submitted.append(number)
    except Refused:
        if submitted:
            slurm.cancel(submitted)
        raise
    print(f"follow     effuse-submit status {shlex.quote(submissions[0].run_folder.name)}")
