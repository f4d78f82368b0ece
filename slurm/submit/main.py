"""The command line of effuse-submit."""

import argparse
import os
import pathlib
import sys

from submit import jobs_of_run, status
from submit.errors import Refused
from submit.job import Job
from submit.pipeline import submit_pipeline
from submit.site import Site
from submit.submission import Submission, submit_chain

EXAMPLES = """examples:
  effuse-submit train configs/train/images-64.toml --data packed --set run.seed=1
  effuse-submit train run.toml --sbatch=--nodes=4 --sbatch=--time=2-00 --dry-run
  effuse-submit pipeline configs/pipeline/fashion-mnist.toml
  effuse-submit status
  effuse-submit logs -f photos
  effuse-submit cancel photos

The cluster's settings are in slurm/sites/<name>.env, chosen by EFFUSE_SITE or --site. Exit codes: 0 done, 1 Slurm failed,
2 bad usage, or refused by Slurm or by a program. docs/cluster.md tells more.
"""


def parser():
    top = argparse.ArgumentParser(prog="effuse-submit", epilog=EXAMPLES,
                                  description="Submits Effuse's jobs to Slurm, and looks after them.",
                                  formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for kind in (*Job.KINDS, "pipeline"):
        text = ("submits pack, train, sample, evaluate, each to begin when the one before has ended well"
                if kind == "pipeline" else f"submits effuse-{kind}")
        add_submission(commands.add_parser(kind, help=text, allow_abbrev=False), takes_arguments=kind != "pipeline")
    shown = commands.add_parser("status", help="states of the jobs, and how far the runs are")
    shown.add_argument("run", nargs="?", metavar="RUN", help="only this one")
    log = commands.add_parser("logs", help="the log of the last job of a run")
    log.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    log.add_argument("--kind", choices=Job.KINDS, help="the last job of this kind")
    ended = commands.add_parser("cancel", help="cancels the jobs of a run that wait or run")
    for command in (log, ended):
        command.add_argument("run", metavar="RUN", help="name of the run")
    for command in (shown, log, ended):
        command.add_argument("--runs", default="runs", metavar="FOLDER", help="where the run folders are [runs]")
    return top


def add_submission(command, takes_arguments):
    command.add_argument("config", metavar="CONFIG", help="configuration file"
                         + ("; further arguments go to the program" if takes_arguments else ""))
    command.add_argument("--site", default=os.environ.get("EFFUSE_SITE", ""), metavar="NAME",
                         help="of a file in slurm/sites [EFFUSE_SITE]")
    command.add_argument("--sbatch", action="append", default=[], metavar="OPTION",
                         help="an option of sbatch: --sbatch=--nodes=4; repeatable")
    mode = command.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="check configuration and allocation, submit nothing")
    mode.add_argument("--dry-run", action="store_true", help="check, print the sbatch line, submit nothing")


def submit(kind, options, arguments):
    if not pathlib.Path(options.config).is_file():
        raise Refused(f"there is no configuration file {options.config} (it has to follow {kind} directly)")
    mode = "check" if options.check else "dry-run" if options.dry_run else "submit"
    site = Site(options.site)
    if kind == "pipeline":
        submit_pipeline(options.config, site, options.sbatch, mode)
    else:
        submit_one(Job(kind, options.config, arguments, site), options.sbatch, mode)


def submit_one(job, options, mode):
    submission = Submission(job, options)
    submission.require_alone()
    print(f"checked    {submission.require_configuration()}")
    print(f"allocation {submission.require_allocation()}")
    if mode == "dry-run":
        print(submission.line_before())
        print(submission.line())
    if mode == "submit":
        submit_chain([submission], announce)


def announce(submission, number, log):
    print(f"submitted  job {number}: {submission.line()}")
    print(f"log        {log}")
    run = submission.run_for_commands()
    print(f"follow     effuse-submit status {run}; effuse-submit logs -f {run}; effuse-submit cancel {run}", flush=True)


def act(options, arguments):
    if options.command in (*Job.KINDS, "pipeline"):
        if arguments and options.command == "pipeline":
            raise Refused(f"a pipeline takes all settings from its configuration, but was given {' '.join(arguments)}")
        submit(options.command, options, arguments)
        return
    if arguments:
        raise Refused(f"unknown argument {arguments[0]}. effuse-submit {options.command} --help lists what there is.")
    folder = pathlib.Path(options.runs)
    if options.command == "status":
        status.show(folder, options.run)
    elif options.command == "logs":
        jobs_of_run.show_log(folder / options.run, options.kind, options.follow)
    else:
        jobs_of_run.cancel(folder / options.run)


def main():
    top = parser()
    options, arguments = top.parse_known_args()
    if options.command is None:
        top.print_help()
        return 2
    try:
        act(options, arguments)
    except Refused as error:
        print(f"effuse-submit: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"effuse-submit: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
