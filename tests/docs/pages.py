"""The documentation's pages, and the commands in their fenced blocks."""

import os
import pathlib
import re
import shlex

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
BIN = pathlib.Path(os.environ["EFFUSE_BIN"])

PAGES = sorted([SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *SOURCE.glob("docs/**/*.md")])
SHELL_LANGUAGES = ("sh", "bash", "console")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)


def name_of(path):
    return str(path.relative_to(SOURCE))


def blocks(page, *languages):
    return [text for language, text in FENCE.findall(page.read_text()) if language in languages]


def commands_in(text):
    """The simple commands of a shell text, as lists of words."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        command = []
        for word in lexer:
            if set(word) <= set("&|;"):
                yield command
                command = []
            else:
                command.append(word)
        yield command


def arguments_of(command):
    """(program, its arguments) of a command that starts one of ours, by itself or under mpirun."""
    first = command[0] if command else ""
    for place, word in enumerate(command):
        program = pathlib.PurePath(word).name
        # slurm/effuse-submit is tried on a cluster: tests/slurm.
        if program.startswith("effuse-") and program != "effuse-submit" and (place == 0 or first == "mpirun"):
            return program, command[place + 1:]
    return None


SHELL = [(name_of(page), command) for page in PAGES for text in blocks(page, *SHELL_LANGUAGES)
         for command in commands_in(text) if command]
