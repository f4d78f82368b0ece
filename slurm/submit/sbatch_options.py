"""The options of sbatch that decide where a job of Effuse leaves its files, and which parts of the work it does."""

import argparse
import re

from submit.errors import Refused


def array_of(words, parts):
    """What --array says among options of sbatch, or None. `parts`: EFFUSE_PARTS, or "". Refuses what cannot go well."""
    given = _parsed(words)
    if given.output or given.error:
        raise Refused("the log of a job is kept in the folder of its run. Leave out --output and --error.")
    if given.chdir:
        raise Refused("a job runs in the folder from which it is submitted, where its files are. Leave out --chdir.")
    _require_parts(given.array, parts)
    return given.array


def _parsed(words):
    """However they are written: --array=1-8, --array 1-8, -a1-8."""
    parser = argparse.ArgumentParser(prog="sbatch", usage=argparse.SUPPRESS, add_help=False)
    for option in (("--output", "-o"), ("--error", "-e"), ("--chdir", "-D"), ("--array", "-a")):
        parser.add_argument(*option)
    return parser.parse_known_args(words)[0]


def _require_parts(array, parts):
    elements = _elements(array or "")
    if parts and not parts.isdecimal():
        raise Refused(f"EFFUSE_PARTS is {parts}, but has to be the number of parts.")
    if not elements:
        return  # none, or nothing that Slurm would take
    if parts and not 1 <= min(elements) <= max(elements) <= int(parts):
        raise Refused(f"--array={array} asks for more than the {parts} parts that there are (EFFUSE_PARTS).")
    if not parts and sorted(elements) != list(range(1, len(elements) + 1)):
        raise Refused(f"--array={array} is not 1-N, so it is not known how many parts there are. To do some of N parts, set "
                      "EFFUSE_PARTS=N.")


def _elements(array):
    """{1, 2, 3, 5} of "1-3,5%2"; steps are written 1-9:2. Empty for anything else."""
    found = set()
    for piece in array.partition("%")[0].split(","):
        numbers = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", piece)
        if not numbers:
            return set()
        first, last, step = numbers.groups()
        found.update(range(int(first), int(last or first) + 1, int(step or 1) or 1))
    return found
