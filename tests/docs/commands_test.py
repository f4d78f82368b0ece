"""What the documentation says can be done can be done: its commands are accepted, the files it names are
there, its links lead somewhere, and every configuration in configs/ is read."""

import json
import os
import re
import shlex
import subprocess
import unicodedata

import pytest

from pages import BIN, FENCE, PAGES, SHELL, SOURCE, arguments_of, blocks, commands_in, name_of

PROGRAMS = ("effuse-pack", "effuse-inspect", "effuse-train", "effuse-sample", "effuse-convert", "effuse-preflight",
            "effuse-report")
CONFIGS = sorted(SOURCE.glob("configs/*/*.toml"))
PROGRAM_COMMANDS = [(page, *ours) for page, command in SHELL if (ours := arguments_of(command))]
PROGRAM_IDS = [f"{page}: {shlex.join([program, *arguments])}"
               for page, program, arguments in PROGRAM_COMMANDS]


def run(program, *arguments):
    return subprocess.run([BIN / program, *arguments], cwd=SOURCE, capture_output=True, text=True,
                          timeout=60, check=False)


def flags_of(program, known={}):  # pylint: disable=dangerous-default-value
    """The flags that --help lists, each once asked for."""
    if program not in known:
        done = run(program, "--help")
        assert done.returncode == 0, done.stderr
        known[program] = set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", done.stdout, re.M))
    return known[program]


def slug(heading):
    """GitHub's anchor of a heading."""
    text = re.sub(r"[`*]", "", heading.strip().lower())
    kept = [c for c in text if c in " -_" or unicodedata.category(c)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


def test_the_reader_of_commands():
    text = "cd a && effuse-pack --input 'my photos' \\\n  --fresh\nmpirun -n 2 effuse-train --set a.b=1 | tee log  # so\n"
    ours = [arguments_of(command) for command in commands_in(text)]
    assert [found for found in ours if found] == [
        ("effuse-pack", ["--input", "my photos", "--fresh"]), ("effuse-train", ["--set", "a.b=1"])]


def test_there_is_something_to_check():
    programs = {program for _, program, _ in PROGRAM_COMMANDS}
    assert programs >= set(PROGRAMS)
    assert CONFIGS


@pytest.mark.parametrize("page, program, arguments", PROGRAM_COMMANDS, ids=PROGRAM_IDS)
def test_commands_are_accepted(page, program, arguments):
    for argument in arguments:
        if argument.startswith("--"):
            flag = argument.split("=")[0]
            assert flag in flags_of(program), f"{page}: {program} has no {flag}"
    if "--help" in arguments or "--version" in arguments:
        done = run(program, *arguments)
    else:  # reads the files named, and checks every value's type and range
        done = run(program, *arguments, "--print-config")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_scripts_exist_and_know_their_flags(page):
    for where, command in SHELL:
        if where != name_of(page) or not command[0].startswith(("scripts/", ".ci/")):
            continue
        script = SOURCE / command[0]
        assert os.access(script, os.X_OK), f"{where} names {command[0]}"
        for argument in command[1:]:
            if argument.startswith("--"):
                assert argument in script.read_text(), f"{where}: {command[0]} has no {argument}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_presets_exist(page):
    presets = json.loads((SOURCE / "CMakePresets.json").read_text())
    known = {preset["name"] for preset in presets["configurePresets"] if not preset.get("hidden")}
    for where, command in SHELL:
        if where == name_of(page) and "--preset" in command:
            assert command[command.index("--preset") + 1] in known, shlex.join(command)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_named_files_of_the_tree_exist(page):
    """`configs/…`, `scripts/…` and `src/…` in code type, without patterns and placeholders."""
    named = re.findall(r"`((?:configs|scripts|src|cmake|tests|docs|jobs|data_tools)/[\w./-]*)`", page.read_text())
    missing = [path for path in named if not (SOURCE / path).exists()]
    assert not missing, f"{name_of(page)} names {missing}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_in_other_languages(page, tmp_path):
    for text in blocks(page, "python"):
        compile(text, name_of(page), "exec")
    for text in blocks(page, "toml"):
        example = tmp_path / "example.toml"
        example.write_text(text)
        done = run("effuse-train", "--config", str(example), "--print-config")
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_configurations_are_read(config):
    """Every program checks all sections of a file, not only its own."""
    done = run("effuse-train", "--config", str(config), "--print-config")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_commands_in_configurations_are_accepted(config):
    comments = "\n".join(re.findall(r"^#   (.*)$", config.read_text(), re.M))
    for command in commands_in(comments):
        if ours := arguments_of(command):
            done = run(ours[0], *ours[1], "--print-config")
            assert done.returncode == 0, done.stderr


def markdown_files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=SOURCE,
                            capture_output=True, text=True, check=True).stdout.split("\n")
    return [SOURCE / name for name in listed if name and (SOURCE / name).exists()]


@pytest.mark.parametrize("page", markdown_files(), ids=name_of)
def test_links_lead_somewhere(page):
    prose = FENCE.sub("", page.read_text())
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            broken.append(target)
        elif anchor and file.suffix == ".md":
            text = FENCE.sub("", file.read_text())
            if anchor not in {slug(h) for h in re.findall(r"^#+ (.+)$", text, re.M)}:
                broken.append(target)
    assert not broken, f"{name_of(page)} links to {broken}"


def test_settings_that_are_named_exist():
    sections = {}
    for program in PROGRAMS:
        section = None
        for line in run(program, "--print-config").stdout.splitlines():
            if header := re.match(r"\[(\w+)\]$", line):
                section = sections.setdefault(header[1], set())
            elif key := re.match(r"(\w+) = ", line):
                section.add(key[1])
    assert "model" in sections and "convert" in sections
    for page in PAGES:
        for section, key in re.findall(r"`(\w+)\.(\w+)(?: = [^`]+)?`", page.read_text()):
            if section in sections:
                assert key in sections[section] | {"hpp", "cpp", "py", "html", "safetensors", "sbatch"}, f"{name_of(page)}: {section}.{key}"
