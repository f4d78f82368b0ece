"""pack, train, sample, evaluate: each job begins when the one before has ended well. What is done is left out."""

import pathlib

from submit.errors import Refused
from submit.job import Job
from submit.submission import Submission, after, submit_chain


def missing_steps(config, site):
    """The jobs that are to be run: the first that is not done, and all that depend on it."""
    jobs = [Job(kind, config, (), site) for kind in Job.KINDS]
    for number, job in enumerate(jobs):
        if not job.is_done():
            return jobs[number:]
        if job.kind != "pack" or pathlib.Path(job.value("pack.input")).exists():  # images may have gone since
            job.check()  # that it was done with these settings
        print(f"{job.kind:<10} is done already: {job.result()}")
    return []


def require_no_older_samples(jobs):
    """effuse-sample would refuse, after all the training, to add to images of weights that are no more."""
    kinds = {job.kind: job for job in jobs}
    if "train" in kinds and (kinds["sample"].result() / "samples.json").exists():
        raise Refused(f"{kinds['sample'].result()} holds images of earlier weights, to which those of the weights to come "
                      "cannot be added. Choose another sampling.output, or move them away.")


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
    require_no_older_samples([submission.job for submission in submissions])
    for submission in submissions:
        print(f"allocation {submission.job.kind}: {submission.require_allocation()}")
    if mode == "check":
        return
    if mode == "dry-run":
        print_lines(submissions)
        return
    submit_chain(submissions, lambda submission, number, log: print(
        f"submitted  job {number}: {submission.job.kind:<8}  log {log}", flush=True))
    print(f"follow     effuse-submit status {submissions[0].run_for_commands()}")


def print_lines(submissions):
    """What would be done, to be typed into a shell."""
    for line in dict.fromkeys(submission.line_before() for submission in submissions):
        print(line)
    before = None
    for submission in submissions:
        kind = submission.job.kind
        print(f"{kind}=$({submission.line(after(f'${before}') if before else ())})")
        before = kind


def require_output(submissions):
    for submission in submissions:
        if str(submission.job.result()) == ".":
            raise Refused(f"{submission.job.config} does not say where {submission.job.program} is to write its result.")
