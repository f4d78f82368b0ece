"""Runs the built programs, alone or under mpirun, on data and models that take milliseconds."""

import json
import os
import pathlib
import signal
import subprocess
import time

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

BIN = pathlib.Path(os.environ["EFFUSE_BIN"])
TIMEOUT_S = 100
IMAGES = 40
VARIABLES = {}  # of the environment of jobs, added by tests that need some
FIELDS = ("step", "images", "epoch", "loss", "grad_norm", "lr")  # those that are deterministic

CONFIG = """
[run]
folder = "{folder}/runs"
name = "tiny"
steps = 20
batch_size = 8
seed = 3
log_every_steps = 1
[data]
folder = "{folder}/packed"
[model]
block_out_channels = [8, 8]
down_block_types = ["DownBlock2D", "AttnDownBlock2D"]
up_block_types = ["AttnUpBlock2D", "UpBlock2D"]
norm_num_groups = 4
attention_head_dim = 8
layers_per_block = 1
[diffusion]
timesteps = 20
[optimizer]
lr = 0.002
[precision]
compute = "fp32"
[preview]
steps = 2
per_class = 1
[checkpoint]
every_steps = 5
[parallel]
device = "cpu"
threads = 1
[metrics]
exporter = false
"""


def environment():
    """That of a job: nothing of a launcher that may have started the tests."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_"))}
    return {**kept, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_mpi_yield_when_idle": "1", "OMP_NUM_THREADS": "1", **VARIABLES}


def command(program, *arguments, ranks=1):
    """`ranks` 0: without a launcher."""
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    return [*(launcher if ranks else []), str(BIN / program), *map(str, arguments)]


def run(program, *arguments, ranks=0, **options):
    return subprocess.run(command(program, *arguments, ranks=ranks), capture_output=True, text=True,
                          timeout=TIMEOUT_S, env=environment(), **options)


def start(program, *arguments, ranks=1):
    """Begins a job in a session of its own, its messages in one pipe."""
    return subprocess.Popen(command(program, *arguments, ranks=ranks), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env=environment(),
                            start_new_session=True)


def wait_until(condition, process):
    """Asks again until `condition()` holds; fails where the job ends first. Returns its value."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        value = condition()
        if value:
            return value
        if process.poll() is not None:
            raise AssertionError("the job ended early: " + process.communicate()[0])
        time.sleep(0.002)
    kill_all(process)
    raise AssertionError("waited in vain: " + process.communicate()[0])


def descendants(pid):
    """Processes below `pid`: mpirun gives each rank a process group of its own."""
    found = []
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return found
    for child in children:
        found += [int(child), *descendants(int(child))]
    return found


def kill_all(process):
    """SIGKILL to mpirun and all its ranks."""
    for pid in [*descendants(process.pid), process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def make_images(folder, classes=2, size=8, count=IMAGES):
    random = np.random.default_rng(11)
    for i in range(count):
        path = folder / ("cat", "dog", "eel")[i % classes] / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (size, size, 3), np.uint8)).save(path)


def make_dataset(folder, classes=2, size=8, count=IMAGES):
    """Packs random images into `folder`."""
    source = folder.parent / (folder.name + "-images")
    make_images(source, classes, size, count)
    packed = run("effuse-pack", "--input", source, "--output", folder, "--image-size", size)
    assert packed.returncode == 0, packed.stderr
    return folder


def make_config(folder):
    """folder/tiny.toml, of a run folder/runs/tiny on folder/packed."""
    path = folder / "tiny.toml"
    path.write_text(CONFIG.format(folder=folder))
    return path


def overrides(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def checkpoints(run_folder):
    return sorted(path.name for path in (run_folder / "checkpoints").glob("step-*"))


def last_checkpoint(run_folder):
    return run_folder / "checkpoints" / checkpoints(run_folder)[-1]


def outcome(run_folder, name="outcome.json"):
    return json.loads((run_folder / name).read_text())


def ending(folder, name="outcome.json"):
    """Outcome, exit code and number of the attempt."""
    record = outcome(folder, name)
    return record["outcome"], record["exit_code"], record["attempt"]


def log_lines(run_folder):
    """The deterministic part of metrics/train.jsonl."""
    lines = (run_folder / "metrics/train.jsonl").read_text().splitlines()
    return [tuple(json.loads(line)[field] for field in FIELDS) for line in lines]


def differences(one, other):
    """In what two finished runs differ: lines of the log, tensors of the last checkpoint. Empty: bit for bit equal."""
    found = [] if log_lines(one) == log_lines(other) else ["metrics/train.jsonl"]
    a, b = last_checkpoint(one), last_checkpoint(other)
    if a.name != b.name:
        return [*found, f"{a.name} against {b.name}"]
    for kind in ("model", "ema", "optimizer"):
        left, right = load_file(a / f"{kind}.safetensors"), load_file(b / f"{kind}.safetensors")
        found += [f"{kind}: {name}" for name in sorted(left.keys() | right.keys())
                  if name not in left or name not in right or left[name].tobytes() != right[name].tobytes()]
    return found


def assert_same_run(one, other):
    assert not differences(one, other)
