"""benchmarks/training: the clock, the statistics and the categories; that PyTorch's program trains as Effuse does; and
the comparison itself on a network of milliseconds, whatever the rates come to be."""

import argparse
import os
import pathlib
import random
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])
BIN = pathlib.Path(os.environ["EFFUSE_BIN"])
TINY = str(pathlib.Path(__file__).with_name("tiny.toml"))
COMPARE = SOURCE / "benchmarks/training/compare.py"
sys.path.insert(0, str(COMPARE.parent))

import account
import categories
import classes
import compare
import parity
import ratios
import start
import tune
from effuse import Burst, Effuse
from step_clock import StepClock
from variant import EffuseVariant, PeerVariant

try:
    import torch
    from diffusers import UNet2DModel  # noqa: F401

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error


def warn_not_compared(capsys):
    with capsys.disabled():
        print(f"\nNOT COMPARED LIVE: torch and diffusers cannot be imported ({missing}); "
              "training is not held against PyTorch's", file=sys.stderr)


# --- The clock ----------------------------------------------------------------------------------------------------

def test_the_clock_counts_lines_that_others_append(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("before\n")
    with StepClock(log) as clock:
        for step in range(5):
            subprocess.run(["sh", "-c", f"echo {step} >> '{log}'"], check=True)
    assert len(clock.times) == 5 and clock.times == sorted(clock.times)
    assert len(clock.intervals(warm_up=1)) == 2  # from the second line to the last but one


def test_the_clock_waits_for_a_log_that_is_not_there(tmp_path):
    log = tmp_path / "run/log.jsonl"
    with StepClock(log) as clock:
        log.parent.mkdir()
        log.write_text("one\ntwo\n")
    assert len(clock.times) == 2
    with StepClock(log) as clock:
        pass
    assert clock.times == []


# --- Ratios -------------------------------------------------------------------------------------------------------

def rounds_of(mean_s, seed, rounds=7, steps=8):
    draw = random.Random(seed)
    return [[draw.gauss(mean_s, 0.02 * mean_s) for _ in range(steps)] for _ in range(rounds)]


def test_a_ratio_says_how_many_times_as_fast():
    ratio, lower, upper = ratios.ratio(rounds_of(0.1, 1), rounds_of(0.15, 2))
    assert lower < ratio < upper and lower > 1.4 and upper < 1.6


def test_an_interval_of_equals_holds_one_and_is_narrower_with_more_rounds():
    _, lower, upper = ratios.ratio(rounds_of(0.1, 1), rounds_of(0.1, 2))
    assert lower < 1 < upper
    _, fewer_lower, fewer_upper = ratios.ratio(rounds_of(0.1, 1, rounds=2, steps=2), rounds_of(0.1, 2, rounds=2, steps=2))
    assert upper - lower < fewer_upper - fewer_lower


def test_a_machine_that_slows_down_slows_both():
    ours, theirs = rounds_of(0.1, 1), rounds_of(0.13, 2)
    for drift, (a, b) in enumerate(zip(ours, theirs)):
        a[:], b[:] = ([seconds * (1 + drift) for seconds in of_round] for of_round in (a, b))
    _, lower, upper = ratios.ratio(ours, theirs)
    assert lower > 1.2 and upper < 1.4


# --- Where a step goes --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("op, scope, kind", [
    ("aten::mkldnn_convolution", "", "convolutions"),
    ("aten::convolution_backward", "ConvolutionBackward0", "convolutions"),
    ("aten::native_group_norm", "", "normalisation"),
    ("effuse::group_norm", "effuse::group_norm", "normalisation"),
    ("effuse::attention", "effuse::attention", "attention"),
    ("aten::_scaled_dot_product_flash_attention_for_cpu", "", "attention"),
    ("aten::addmm", "", "linear layers"),
    ("aten::copy_", "ToCopyBackward0", "casts and copies"),
    ("aten::copy_", "torch::autograd::AccumulateGrad", "gradients into buffers"),
    ("aten::copy_", "effuse::update", categories.UPDATE),
    ("aten::_fused_adamw_", "Optimizer.step#AdamW.step", categories.UPDATE),
    ("gloo:all_reduce", "", "communication"),
    ("aten::add", "", categories.REST)])
def test_categories(op, scope, kind):
    assert categories.category(op, scope) == kind


def test_tables_of_an_account():
    columns = {"ours": account.with_rest({"convolutions": 0.75}, wall_s=1.0), "theirs": {"convolutions": 1.5}}
    text = account.categories_table(columns)
    assert "| convolutions | 750 ms (75 %) | 1500 ms (100 %) |" in text
    assert f"| {categories.OUTSIDE} | 250 ms (25 %) | 0.00 ms (0 %) |" in text
    kernels = account.kernels_table("ours", [{"kernel": "small", "calls": 1, "self_s": 0.1}, {"op": "on the host"},
                                             {"kernel": "large", "calls": 2, "self_s": 0.3}])
    assert kernels.index("large") < kernels.index("small") and "| all 2 | 3 | 400 ms |" in kernels
    floor = account.floor(40e9, 1e11, "fp32", columns)
    assert "40 GFLOP" in floor and "products in fp32" in floor and "the floor is 400 ms" in floor


# --- Training -----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    return start.prepare(TINY, tmp_path_factory.mktemp("training"), BIN, "cpu")


@pytest.fixture(scope="module")
def reference(setup):
    return compare.reference_losses(setup)


def peer_losses(setup, variant, change=lambda peer: None):
    from peer import Peer

    peer = Peer(setup.start, variant, setup.work / "steps.jsonl", 0, None)
    change(peer)
    return peer.first_steps()


@pytest.mark.parametrize("variant, largest", [
    (PeerVariant(threads=1, precision="fp32"), 1e-5),
    (PeerVariant(threads=1, precision="fp32", attention="math"), 1e-5),
    (PeerVariant(threads=1), parity.TOLERANCE["bf16"]),
    (PeerVariant(threads=1, precision="pure"), parity.TOLERANCE["bf16"]),
    (PeerVariant(threads=1, precision="pure", layout="channels_last"), parity.TOLERANCE["bf16"])],
    ids=lambda value: value.text() if isinstance(value, PeerVariant) else "")
def test_the_peer_trains_as_effuse_does(variant, largest, setup, reference, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    found = peer_losses(setup, variant)
    assert len(found) == start.DRAWN == len(reference)
    assert parity.difference(reference, found) <= largest


def test_the_peer_says_where_its_step_goes(setup, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    from peak import best_rate
    from peer import Peer

    peer = Peer(setup.start, PeerVariant(threads=1), setup.work / "steps.jsonl", 0, None)
    found = peer.obey({"do": "profile", "count": 2})
    seconds = categories.by_category(found["rows"])
    assert {"convolutions", "attention", "normalisation", categories.UPDATE, "noise and time steps"} <= set(seconds)
    assert 0 < sum(seconds.values()) <= found["wall_s"]
    # diffusers' network of this size takes 49 million forwards and backwards for a batch of eight.
    flops = peer.obey({"do": "flops"})
    assert 40e6 < flops < 60e6
    assert best_rate(64, "cpu", torch.float32) > 0


def faster(peer):
    peer.step.optimizer.param_groups[0]["lr"] *= 3


def without_dropped_labels(peer):
    peer.data["dropped_labels"] = peer.data["labels"][:start.DRAWN]


@pytest.mark.parametrize("change", [faster, without_dropped_labels])
def test_a_peer_that_trains_otherwise_is_found(change, setup, reference, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    variant = PeerVariant(threads=1, precision="fp32")
    assert parity.difference(reference, peer_losses(setup, variant, change)) > parity.tolerance(variant)


def test_tuning_takes_the_fastest_of_what_works(setup, reference):
    of_class = classes.Class("Effuse", Effuse, EffuseVariant(threads=1),
                             [[dict(weights="compute")], [dict(layout="no such layout")]])
    trials = tune.tune(setup, of_class, reference)
    assert len(trials) == 3 and trials[0].seconds <= trials[1].seconds < float("inf") == trials[2].seconds
    assert "layout" in trials[2].note and trials[2].text().startswith("failed")
    file = setup.work / "tuned.json"
    assert tune.remembered(file, of_class)[0].variant == of_class.base
    tune.remember(file, trials)
    assert tune.remembered(file, of_class) == trials


def test_trials_with_other_losses_do_not_count(setup, reference):
    trial = tune.attempt(setup, Effuse, EffuseVariant(threads=1), [2 * loss for loss in reference])
    assert trial.seconds == float("inf") and "losses" in trial.note


def test_a_profile_of_a_step(setup):
    summary, rows = account.profile_of_effuse(setup, EffuseVariant(threads=1))
    seconds = categories.by_category(rows)
    assert {"convolutions", "attention", "normalisation", categories.UPDATE, "noise and time steps",
            "gradients into buffers"} <= set(seconds)
    assert 0 < sum(seconds.values()) <= summary["wall_s"]
    assert sum(summary["reports"].values()) <= summary["wall_s"]
    assert all(row["self_s"] >= 0 for row in rows)
    calls = {(row["op"], row["scope"]): row["calls"] for row in rows}
    assert calls["effuse::update", "effuse::update"] == 1


# --- The comparison -----------------------------------------------------------------------------------------------

class Fake:
    """A program whose steps take what it is told."""

    def __init__(self, seconds, losses):
        self.seconds, self.first_losses = seconds, losses

    def burst(self, count, warm_up):
        return Burst([self.seconds * (1 + 0.001 * i) for i in range(count)], self.first_losses)


@pytest.mark.parametrize("theirs_s, losses, quick, problems", [
    (0.15, [1.0, 2.0], False, []),
    (0.098, [1.0, 2.01], False, []),
    (0.09, [1.0, 2.0], False, ["Effuse is slower than PyTorch"]),
    (0.09, [1.0, 2.0], True, []),
    (0.15, [1.0, 2.1], True, ["PyTorch: its losses differ by 5.0e-02"])])
def test_what_is_wrong_with_a_comparison(theirs_s, losses, quick, problems):
    options = argparse.Namespace(rounds=5, steps=4, warm_up=1, quick=quick, account=False)
    ours = compare.Contender("Effuse", EffuseVariant(), Fake(0.1, [1.0, 2.0]))
    theirs = compare.Contender("PyTorch", PeerVariant(), Fake(theirs_s, losses))
    setup = argparse.Namespace(name="tiny", batch_size=8)
    text, wrong = compare.measure(options, setup, [[ours, theirs]], {}, [1.0, 2.0])
    assert wrong == problems
    assert f"| Effuse | PyTorch | {theirs_s / 0.1:.2f} |" in text and ("SLOWER" in text) == (theirs_s < 0.097)


def run_compare(tmp_path, *more, **environment):
    command = [sys.executable, COMPARE, TINY, "--quick", "--bin", BIN, "--work", tmp_path / "work", *more]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                          env=os.environ | environment)


def test_a_comparison(tmp_path, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    report = tmp_path / "report.md"
    done = run_compare(tmp_path, "--without", "compiled", "--without", "eager", "--account", "--report", report)
    assert done.returncode == 0, done.stdout + done.stderr
    text = report.read_text()
    assert text == done.stdout
    ranks = min(2, len(os.sched_getaffinity(0)))
    rows = [f"| Effuse, {ranks} ranks | PyTorch DDP, {ranks} ranks |", "### Where a step goes", "| convolutions |"]
    rows += ["### Communication"] if ranks > 1 else []
    for row in rows:
        assert row in text, text
    assert not list((tmp_path / "work/runs").iterdir())


def test_without_diffusers_it_says_so_and_measures_effuse_alone(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['diffusers'] = None\n")
    done = run_compare(tmp_path, "--without", "ranks", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT COMPARED with PyTorch" in done.stderr and "diffusers" in done.stderr
    usual = classes.precisions("cpu")[0]
    assert f"| Effuse, 1 rank | {usual} |" in done.stdout and "PyTorch" not in done.stdout


def test_a_program_that_fails_fails_the_comparison(tmp_path):
    (tmp_path / "bin").mkdir()
    for program in BIN.iterdir():
        (tmp_path / "bin" / program.name).symlink_to(program)
    (tmp_path / "bin/effuse-train").unlink()
    (tmp_path / "bin/effuse-train").write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 1\n")
    (tmp_path / "bin/effuse-train").chmod(0o755)
    done = run_compare(tmp_path, "--bin", tmp_path / "bin")
    assert done.returncode == 1 and "out of luck" in done.stdout and "Not compared" in done.stdout


def test_a_configuration_that_the_peer_does_not_follow_is_refused(capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    import tomllib
    from peer_step import Settings

    text = subprocess.run([BIN / "effuse-train", "--config", TINY, "--set", "diffusion.schedule=cosine", "--set",
                           "optimizer.warmup_steps=5", "--print-config"], capture_output=True, text=True, check=True)
    with pytest.raises(SystemExit, match="schedule, warmup_steps"):
        Settings.of(tomllib.loads(text.stdout))


def test_the_networks_are_configurations_that_the_peer_follows(capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    import tomllib
    from peer_step import Settings

    for file in start.NETWORKS.glob("*.toml"):
        done = subprocess.run([BIN / "effuse-train", "--config", file, "--print-config"], capture_output=True, text=True,
                              check=True)
        assert Settings.of(tomllib.loads(done.stdout)).optimizer["name"] == "adamw"
