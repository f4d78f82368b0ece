"""Types, ways of holding weights and layouts: training goes as in fp32, but for rounding. unet2d in every way, the
others in two that have all of them."""

import itertools
import pathlib
import platform

import numpy as np
import pytest
from PIL import Image

from programs import assert_same_run, last_checkpoint, make_config, make_dataset, run
from runs import attempt, losses, records, state, tensors, train, words

STEPS = 12
NETWORKS = {"unet2d": {}, "unet": {"model.name": "unet", "model.channels": "[8, 8, 8, 8]"},
            "cspdarkunet": {"model.name": "cspdarkunet", "model.channels": "[4, 8, 16, 32, 64]"}}
# Of the loss of each step: bf16 keeps 8 bits, fp16 11; over the steps runs drift apart.
TOLERANCE = {"bf16": 1e-2, "fp16": 2e-3}
WAYS = list(itertools.product(("bf16", "fp16"), ("fp32", "compute"), ("contiguous", "channels_last")))
FEW_WAYS = [("bf16", "compute", "channels_last"), ("fp16", "fp32", "contiguous")]
# Mean difference of the pixels of a preview, in grey levels.
GREY_LEVELS = {"bf16": 1.0, "fp16": 0.2}


@pytest.fixture(scope="module")
def workplaces(tmp_path_factory):
    """{network: workplace}; cspdarkunet halves its images four times."""
    found = {}
    for side in (8, 16):
        folder = tmp_path_factory.mktemp(f"precision-{side}")
        make_dataset(folder / "packed", classes=2, size=side)
        make_config(folder)
        found[side] = folder
    return {network: found[16 if network == "cspdarkunet" else 8] for network in NETWORKS}


def train_in(workplaces, network, name, steps=STEPS, **settings):
    return train(workplaces[network], f"{network}-{name}", 2,
                 {**NETWORKS[network], "run.steps": steps, "checkpoint.every_steps": 0, **settings})


def precision(compute, weights="fp32", layout="auto", **more):
    return {"precision.compute": compute, "precision.weights": weights, "precision.layout": layout,
            **{f"precision.{key}": value for key, value in more.items()}}


@pytest.fixture(scope="module")
def exact(workplaces):
    """{network: the run in fp32}"""
    return {network: train_in(workplaces, network, "fp32") for network in NETWORKS}


def preview(folder, step):
    with Image.open(folder / f"previews/step-{step:08d}.png") as image:
        return np.asarray(image, np.float64)


def is_rounded_to(compute, tensor):
    """Whether all its numbers are ones of that type."""
    if compute == "fp16":
        return (tensor == tensor.astype(np.float16).astype(np.float32)).all()
    return (tensor.view(np.uint32) % 65536 == 0).all()


@pytest.mark.parametrize("network, compute, weights, layout", [
    (network, *way) for network in NETWORKS for way in (WAYS if network == "unet2d" else FEW_WAYS)])
def test_every_way_trains_as_fp32_does(workplaces, exact, network, compute, weights, layout):
    folder = train_in(workplaces, network, f"{compute}-{weights}-{layout}", **precision(compute, weights, layout))
    expected = losses(exact[network])
    assert losses(folder) == pytest.approx(expected, rel=TOLERANCE[compute])
    assert losses(folder) != expected and all(line["good"] for line in records(folder).values())

    checkpoint = last_checkpoint(folder)
    for kind in ("model", "ema", "optimizer"):
        assert {tensor.dtype for tensor in tensors(checkpoint, kind).values()} == {np.dtype(np.float32)}
    model = tensors(checkpoint, "model")
    assert not all(is_rounded_to(compute, tensor) for tensor in model.values()), "the master weights"
    scale = state(checkpoint)["control"]["loss_scale"]
    assert scale == (65536 if compute == "fp16" else 0)

    for step in (0, STEPS):
        difference = np.abs(preview(folder, step) - preview(exact[network], step)).mean()
        assert difference < GREY_LEVELS[compute], f"the preview of step {step}"


@pytest.mark.parametrize("network", NETWORKS)
def test_fp32_in_channels_last_is_fp32(workplaces, exact, network):
    folder = train_in(workplaces, network, "fp32-last", **precision("fp32", layout="channels_last"))
    assert losses(folder) == pytest.approx(losses(exact[network]), rel=1e-4)


@pytest.mark.parametrize("weights", ["fp32", "compute"])
@pytest.mark.parametrize("first", [8, 2**24], ids=["grows", "overflows"])
def test_fp16_continues_bit_for_bit_with_its_loss_scale(workplaces, weights, first):
    """From the small scale it grows, from the large one steps overflow and halve it, before and after the stop."""
    settings = precision("fp16", weights, loss_scale=first, loss_scale_growth_steps=3)
    name = f"fp16-{weights}-{first}"
    whole = train_in(workplaces, "unet2d", f"{name}-whole", **settings)
    parts = train_in(workplaces, "unet2d", f"{name}-parts", steps=4, **settings)
    half_way = state(last_checkpoint(parts))["control"]
    train_in(workplaces, "unet2d", f"{name}-parts", **settings)
    assert_same_run(parts, whole)
    control = state(last_checkpoint(parts))["control"]
    assert control == state(last_checkpoint(whole))["control"]
    if first == 8:
        assert (half_way["loss_scale"], half_way["clean_steps"]) == (16, 1)
        assert control["loss_scale"] == 8 * 2**4 and control["updates"] == STEPS
    else:
        skipped = [step for step, line in records(whole).items() if not line["good"]]
        assert skipped[:4] == [1, 2, 3, 4] and half_way["loss_scale"] == 2**20
        assert 0 < control["updates"] == STEPS - len(skipped)
        assert not (parts / "bad_steps").exists(), "finding the scale is no trouble"


@pytest.mark.parametrize("compute, weights", [("bf16", "fp32"), ("bf16", "compute")])
def test_bf16_continues_bit_for_bit(workplaces, compute, weights):
    settings = precision(compute, weights, "channels_last")
    whole = train_in(workplaces, "unet2d", f"whole-{weights}", 8, **settings)
    train_in(workplaces, "unet2d", f"parts-{weights}", 4, **settings)
    assert_same_run(train_in(workplaces, "unet2d", f"parts-{weights}", 8, **settings), whole)


def test_passes_add_up_in_bf16_as_in_fp32(workplaces, exact):
    for weights in ("fp32", "compute"):
        folder = train_in(workplaces, "unet2d", f"passes-{weights}", **precision("bf16", weights),
                          **{"parallel.accumulation_steps": 3})
        assert losses(folder) == pytest.approx(losses(exact["unet2d"]), rel=TOLERANCE["bf16"])


def test_the_layout_may_change_between_attempts(workplaces, exact):
    train_in(workplaces, "unet2d", "relaid", 6, **precision("fp32", layout="channels_last"))
    folder = train_in(workplaces, "unet2d", "relaid", **precision("fp32", layout="contiguous"))
    assert losses(folder) == pytest.approx(losses(exact["unet2d"]), rel=1e-4)


def test_a_run_goes_on_in_another_type_without_the_loss_scale(workplaces, exact):
    train_in(workplaces, "unet2d", "changed", 6, **precision("fp16", "compute"))
    settings = {"run.steps": STEPS, "checkpoint.every_steps": 0, **precision("fp32")}
    again = run("effuse-train", *words(workplaces["unet2d"], "unet2d-changed", **settings), "--allow-change",
                "precision.compute", "--allow-change", "precision.weights", ranks=2)
    assert again.returncode == 0, again.stderr
    folder = workplaces["unet2d"] / "runs/unet2d-changed"
    norms = [line["grad_norm"] for line in records(folder).values()]
    assert norms == pytest.approx([line["grad_norm"] for line in records(exact["unet2d"]).values()], rel=0.02)
    assert state(last_checkpoint(folder))["control"]["loss_scale"] == 0


def test_a_type_without_instructions_is_warned_of(workplaces):
    """As on x86 processors without AVX-512, which take over ten times as long for bf16."""
    _, job = attempt(workplaces["unet2d"], "warned", 1, {"run.steps": 1, **precision("bf16")})
    assert job.returncode == 0, job.stderr
    has_none = platform.machine() == "x86_64" and "avx512f" not in pathlib.Path("/proc/cpuinfo").read_text()
    assert ("no instructions for bf16" in job.stderr) == has_none, job.stderr


def test_weights_of_the_compute_type_want_one(workplaces):
    folder, job = attempt(workplaces["unet2d"], "fp32-compute", 2, precision("fp32", "compute"))
    assert job.returncode == 2, job.stderr
    assert "precision.weights is compute, but precision.compute is fp32" in job.stderr
    assert not folder.exists()
