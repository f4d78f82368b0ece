"""Training runs of the tiny model of programs.py, and what two of them have in common."""

import json

from safetensors.numpy import load_file

from programs import log_lines, overrides, run

TENSORS = ("model", "ema", "optimizer")


def words(workplace, name, **settings):
    """Arguments of effuse-train for the run workplace/runs/name."""
    return ["--config", workplace / "tiny.toml", "--name", name, *overrides(settings)]


def attempt(workplace, name, ranks, settings):
    """(run folder, how the program ended)."""
    return (workplace / "runs" / name,
            run("effuse-train", *words(workplace, name, **settings), ranks=ranks))


def train(workplace, name, ranks, settings):
    """The folder of a run that came to its end."""
    folder, result = attempt(workplace, name, ranks, settings)
    assert result.returncode == 0, result.stderr
    return folder


def records(folder):
    """The lines of metrics/train.jsonl, by step."""
    lines = map(json.loads, (folder / "metrics/train.jsonl").read_text().splitlines())
    return {line["step"]: line for line in lines}


def losses(folder):
    return [line[3] for line in log_lines(folder)]


def tensors(checkpoint, kind):
    return load_file(checkpoint / f"{kind}.safetensors")


def state(checkpoint):
    return json.loads((checkpoint / "state.json").read_text())


def assert_same_tensors(one, other):
    """Checkpoints `one` and `other` hold the same, bit for bit."""
    for kind in TENSORS:
        left, right = tensors(one, kind), tensors(other, kind)
        assert left.keys() == right.keys()
        for name in left:
            assert left[name].dtype == right[name].dtype
            assert left[name].tobytes() == right[name].tobytes(), f"{kind}: {name}"
