"""Two training steps of TrainStep against the same steps in PyTorch, from equal weights, batches, noise
and time steps, where torch and diffusers are there."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "golden"))

try:
    import torch
    import torch.nn.functional as F
    from diffusers import UNet2DModel  # noqa: F401
    from safetensors.torch import load_file, save_file

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error

import unet2d_cases

STEPS, BATCH = 2, 6
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}
MODEL = unet2d_cases.CASES["scale_shift_with_classes"]
SETTINGS = {
    "diffusion": {"timesteps": 1000, "schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02,
                  "prediction": "epsilon", "loss": "mse", "loss_delta": 0.5, "min_snr_gamma": 0.0,
                  "label_drop": 0.5},
    "optimizer": {"name": "adamw", "lr": 2e-4, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8,
                  "momentum": 0.937, "weight_decay": 0.1, "grad_clip": 0.1},
    "ema": {"decay": 0.2, "warmup": True},
    "run": {"steps": STEPS, "batch_size": BATCH, "seed": 3},
    "parallel": {"micro_batch": 4},
    "precision": {"compute": "fp32"},
}
SGD = {"optimizer.name": "sgd", "optimizer.lr": 0.1}
CASES = {f"{name}-{dtype}": (dtype, changes) for dtype in TOLERANCES for name, changes in (
    ("adam", {"optimizer.name": "adam"}), ("adamw", {}), ("sgd", SGD))}
CASES |= {
    "sgd-by-default": ("float64", SGD | {"optimizer.weight_decay": -1.0}),
    "adamw-by-default": ("float64", {"optimizer.weight_decay": -1.0, "optimizer.grad_clip": 0.0}),
    "l1": ("float64", {"diffusion.loss": "l1"}),
    "huber": ("float64", {"diffusion.loss": "huber"}),
    "smooth-l1": ("float64", {"diffusion.loss": "smooth_l1"}),
    "v": ("float64", {"diffusion.prediction": "v_prediction"}),
    "image": ("float64", {"diffusion.prediction": "sample"}),
    "min-snr-epsilon": ("float64", {"diffusion.min_snr_gamma": 5.0}),
    "min-snr-v": ("float64", {"diffusion.min_snr_gamma": 5.0, "diffusion.prediction": "v_prediction"}),
    "min-snr-image": ("float32", {"diffusion.min_snr_gamma": 5.0, "diffusion.prediction": "sample"}),
    "copied-average": ("float64", {"ema.copy_steps": 1}),
}


def settings_of(changes):
    settings = {section: dict(keys) for section, keys in SETTINGS.items()}
    for name, value in changes.items():
        section, key = name.split(".")
        settings[section][key] = value
    return settings


def write_request(folder, settings, model):
    folder.mkdir()
    text = ""
    for section, keys in (settings | {"model": MODEL}).items():
        text += f"[{section}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in keys.items())
    (folder / "config.toml").write_text(text)
    save_file(model.state_dict(), folder / "weights.safetensors")
    size, channels = MODEL["sample_size"], MODEL["in_channels"]
    images = torch.randint(256, (STEPS, BATCH, size, size, channels), dtype=torch.uint8)
    labels = torch.randint(MODEL["num_class_embeds"] - 1, (STEPS, BATCH))
    save_file({"images": images, "labels": labels}, folder / "batches.safetensors")


@pytest.fixture(scope="module")
def requests(tmp_path_factory):
    """{name of the case: (folder with the program's answers, settings, model before training)}."""
    if missing is not None:
        yield {}
        return
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("one-step")
    cases = {}
    for name, (dtype, changes) in CASES.items():
        torch.manual_seed(sum(map(ord, name)))
        model = unet2d_cases.make_reference(MODEL).to(getattr(torch, dtype)).train()
        cases[name] = place / name, settings_of(changes), model
        write_request(*cases[name])
    program = pathlib.Path(os.environ["EFFUSE_BIN"]) / "one_step"
    subprocess.run([program, *(folder for folder, _, _ in cases.values())], check=True)
    yield cases
    shutil.rmtree(place)


def alpha_bar_at(t, diffusion):
    betas = torch.linspace(diffusion["beta_start"], diffusion["beta_end"], diffusion["timesteps"],
                           dtype=torch.float64)
    return (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)


def elementwise(diffusion, output, target):
    delta = diffusion["loss_delta"]
    if diffusion["loss"] == "l1":
        return F.l1_loss(output, target, reduction="none")
    if diffusion["loss"] == "huber":
        return F.huber_loss(output, target, reduction="none", delta=delta)
    if diffusion["loss"] == "smooth_l1":
        return F.smooth_l1_loss(output, target, reduction="none", beta=delta)
    return F.mse_loss(output, target, reduction="none")


def weights_of_images(diffusion, alpha_bar):
    """Hang et al. 2023, section 3.4."""
    gamma = diffusion["min_snr_gamma"]
    if gamma == 0:
        return torch.ones_like(alpha_bar)
    snr = alpha_bar / (1 - alpha_bar)
    over = {"epsilon": snr, "v_prediction": snr + 1, "sample": torch.ones_like(snr)}
    return torch.minimum(snr, torch.full_like(snr, gamma)) / over[diffusion["prediction"]]


def loss_of(model, diffusion, images, draws):
    dtype = model.dtype
    x0 = (images.permute(0, 3, 1, 2).float() / 127.5 - 1).to(dtype)
    noise, t = draws["noise"].to(dtype), draws["t"]
    alpha_bar = alpha_bar_at(t, diffusion)
    signal, sigma = alpha_bar.sqrt().to(dtype), (1 - alpha_bar).sqrt().to(dtype)
    output = model(signal * x0 + sigma * noise, t, draws["labels"]).sample
    target = {"epsilon": noise, "v_prediction": signal * noise - sigma * x0, "sample": x0}
    losses = elementwise(diffusion, output, target[diffusion["prediction"]])
    return (losses * weights_of_images(diffusion, alpha_bar).to(dtype)).mean()


def make_optimizer(model, c):
    decay = {} if c["weight_decay"] == -1 else {"weight_decay": c["weight_decay"]}
    if c["name"] == "sgd":
        return torch.optim.SGD(model.parameters(), lr=c["lr"], momentum=c["momentum"], **decay)
    kind = torch.optim.Adam if c["name"] == "adam" else torch.optim.AdamW
    return kind(model.parameters(), lr=c["lr"], betas=(c["beta1"], c["beta2"]), eps=c["eps"], **decay)


def ema_decay(ema, step):
    if step <= ema.get("copy_steps", 0):
        return 0.0
    return min(ema["decay"], (1 + step) / (10 + step))


def relative_error(found, expected, kind):
    """Of all tensors of a kind together."""
    assert {n for n in found if n.startswith(kind)} == {f"{kind}.{n}" for n in expected}
    a = torch.cat([found[f"{kind}.{n}"].double().flatten() for n in expected])
    b = torch.cat([expected[n].detach().double().flatten() for n in expected])
    return ((a - b).norm() / b.norm()).item()


def warn_not_compared(capsys):
    with capsys.disabled():
        print(f"\nNOT COMPARED LIVE: torch and diffusers cannot be imported ({missing}); "
              "a training step is not held against PyTorch's", file=sys.stderr)


@pytest.mark.parametrize("name", CASES)
def test_a_training_step_is_that_of_pytorch(name, requests, capsys):
    if missing is not None:
        warn_not_compared(capsys)
        return
    folder, settings, model = requests[name]
    batches = load_file(folder / "batches.safetensors")
    optimizer = make_optimizer(model, settings["optimizer"])
    weights = dict(model.named_parameters())
    average = {n: w.detach().clone() for n, w in weights.items()}
    tolerance = TOLERANCES[CASES[name][0]]
    for step in range(STEPS):
        draws = load_file(folder / f"drawn-{step}.safetensors")
        found = load_file(folder / f"step-{step}.safetensors")
        optimizer.zero_grad()
        loss = loss_of(model, settings["diffusion"], batches["images"][step], draws)
        loss.backward()
        limit = settings["optimizer"]["grad_clip"] or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
        assert norm > limit or limit == float("inf"), "gradients small enough that none was clipped"
        optimizer.step()
        decay = ema_decay(settings["ema"], step + 1)
        for n, w in weights.items():
            average[n] = decay * average[n] + (1 - decay) * w.detach()

        assert found["loss"].item() == pytest.approx(loss.item(), rel=tolerance)
        assert found["grad_norm"].item() == pytest.approx(norm.item(), rel=tolerance)
        gradients = {n: w.grad for n, w in weights.items()}
        for kind, expected in ("gradient", gradients), ("weight", weights), ("average", average):
            assert relative_error(found, expected, kind) <= tolerance, f"{kind}, step {step}"
