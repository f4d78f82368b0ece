"""Runs to report of: all that a run folder may hold, made by effuse-train within seconds."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))

from pages import train
from programs import make_config, make_dataset, outcome, overrides, start

NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"
EVALUATED = {"evaluation.network": NETWORK, "evaluation.tile": 4, "evaluation.every_steps": 10, "evaluation.number": 10,
             "sampling.tile": 4, "sampling.steps": 2, "preview.every_steps": 4}


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    make_dataset(folder / "packed", count=12)
    make_config(folder)
    return folder


@pytest.fixture(scope="session")
def continued(place):
    """Evaluated at steps 10 and 20, with a step skipped at 7; made longer after step 10."""
    train(place, "continued", **EVALUATED, **{"run.steps": 10, "drill.fault": "nan", "drill.step": 7})
    return train(place, "continued", **EVALUATED, **{"run.steps": 20})


@pytest.fixture(scope="session")
def returned(place):
    """Its folder, and after which step it was stopped: it went back to step 4 within its first job, and was continued."""
    settings = {"preview.every_steps": 0, "checkpoint.every_steps": 4, "recovery.skip_limit": 0, "recovery.max_restores": 1000}
    job = start("effuse-train", "--config", place / "tiny.toml", "--name", "returned", *overrides({**settings, "drill.fault": "nan", "drill.step": 8}))
    messages = ""
    for line in job.stdout:
        messages += line
        if "back to the checkpoint of step 4" in line:
            break
    job.send_signal(signal.SIGUSR1)
    messages += job.communicate()[0]
    assert job.returncode == 75, messages
    folder = place / "runs/returned"
    stopped_after = outcome(folder)["step"]
    return train(place, "returned", **settings), stopped_after


@pytest.fixture(scope="session")
def plain(place):
    """Without previews and evaluations, with another learning rate and batch size."""
    return train(place, "plain", **{"preview.every_steps": 0, "optimizer.lr": 0.004, "run.batch_size": 4})
