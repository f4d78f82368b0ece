#!/usr/bin/env python3
"""Writes samplers.json: noise schedules and samplers of diffusers on an analytic denoiser.

Each case is run twice: with diffusers' own fp32 tables, and in float64 throughout, with tables in
float64 put in their place. Convention "diffusers" is what its schedulers do by themselves. For
convention "effuse" they are made to visit the time steps of Effuse and to end at the image.
"""

import json
import math
import pathlib

import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, PNDMScheduler
from diffusers.schedulers import scheduling_ddpm

import formulas
import iddm_samplers

T = 1000
SHAPE = (2, 1, 4, 4)
SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2", "scaled_linear": "scaled_linear"}
BASE = {
    "schedule": "linear",
    "prediction": "epsilon",
    "zero_terminal_snr": False,
    "steps": 10,
    "spacing": "linspace",
    "eta": 0.0,
    "variance": "fixed_small",
    "clip": True,
    "convention": "effuse",
}


def exact_betas(schedule):
    if schedule == "linear":
        return torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    if schedule == "scaled_linear":
        return torch.linspace(1e-4**0.5, 0.02**0.5, T, dtype=torch.float64) ** 2
    f = [math.cos((i / T + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(T + 1)]
    return torch.tensor([min(1 - f[i + 1] / f[i], 0.999) for i in range(T)], dtype=torch.float64)


def exact_alpha_bar(schedule, zero_terminal_snr=False):
    alpha_bar = torch.cumprod(1 - exact_betas(schedule), 0)
    if zero_terminal_snr:
        signal = alpha_bar.sqrt()
        alpha_bar = ((signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])) ** 2
    return alpha_bar


def exact_of(case):
    return exact_alpha_bar(case["schedule"], case["zero_terminal_snr"])


def effuse_steps(case):
    """Time steps of Effuse for spacing linspace, descending."""
    assert case["spacing"] == "linspace"
    return torch.linspace(0, T - 1, case["steps"], dtype=torch.float64).round().long().flip(0)


def prepare(cls, case, dtype, **settings):
    if case["zero_terminal_snr"]:
        settings["rescale_betas_zero_snr"] = True
    scheduler = cls(
        num_train_timesteps=T,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule=SCHEDULES[case["schedule"]],
        prediction_type=case["prediction"],
        timestep_spacing="linspace" if case["spacing"] == "auto" else case["spacing"],
        **settings,
    )
    if dtype == torch.float64:
        scheduler.alphas_cumprod = exact_of(case)
        scheduler.one = torch.tensor(1.0, dtype=dtype)
        at_one = settings.get("set_alpha_to_one", cls is DDIMScheduler)
        scheduler.final_alpha_cumprod = scheduler.one if at_one else scheduler.alphas_cumprod[0]
    return scheduler


def denoise(case, x, t):
    return formulas.gaussian_denoiser(x, exact_of(case)[t].item(), case["prediction"])


def match_stride(scheduler, steps, k):
    """diffusers steps to t - T // num_inference_steps, which is not the time step visited next; a
    number of steps is put in here for which it is."""
    stride = steps[k] - steps[k + 1] if k + 1 < len(steps) else T
    scheduler.num_inference_steps = T // stride
    assert T // scheduler.num_inference_steps == stride


def run_ddpm(case, dtype):
    scheduler = prepare(
        DDPMScheduler, case, dtype, variance_type=case["variance"], clip_sample=case["clip"]
    )
    scheduler.set_timesteps(case["steps"])
    x = formulas.starting_noise(SHAPE).to(dtype)
    for k, t in enumerate(scheduler.timesteps):
        last = k + 1 == case["steps"] and case["convention"] == "effuse"
        noise = torch.zeros(SHAPE) if last else formulas.step_noise(SHAPE, k)
        scheduling_ddpm.randn_tensor = lambda *a, **b: noise.to(dtype)
        x = scheduler.step(denoise(case, x, t), t, x).prev_sample
    return scheduler.timesteps, x


def run_ddim(case, dtype):
    scheduler = prepare(DDIMScheduler, case, dtype, clip_sample=case["clip"])
    scheduler.set_timesteps(case["steps"])
    x = formulas.starting_noise(SHAPE).to(dtype)
    steps = scheduler.timesteps.tolist()
    for k, t in enumerate(steps):
        if case["convention"] == "effuse":
            match_stride(scheduler, steps, k)
        noise = formulas.step_noise(SHAPE, k).to(dtype) if case["eta"] > 0 else None
        x = scheduler.step(denoise(case, x, t), t, x, eta=case["eta"], variance_noise=noise).prev_sample
    return scheduler.timesteps, x


def run_plms(case, dtype):
    ends_at_image = {"set_alpha_to_one": True} if case["convention"] == "effuse" else {}
    scheduler = prepare(PNDMScheduler, case, dtype, skip_prk_steps=True, **ends_at_image)
    scheduler.set_timesteps(case["steps"])
    asked = scheduler.timesteps.tolist()
    visited = asked[:1] + asked[2:]
    x = formulas.starting_noise(SHAPE).to(dtype)
    for k, t in enumerate(asked):
        if case["convention"] == "effuse":
            match_stride(scheduler, visited, max(0, k - 1))
        x = scheduler.step(denoise(case, x, t), t, x).prev_sample
    return torch.tensor(visited), x


def run_dpmpp_2m(case, dtype):
    scheduler = prepare(DPMSolverMultistepScheduler, case, dtype)
    if case["convention"] == "effuse":
        scheduler.set_timesteps(timesteps=effuse_steps(case).tolist())
    else:
        scheduler.set_timesteps(case["steps"])
    steps = scheduler.timesteps.tolist()
    x = formulas.starting_noise(SHAPE).to(dtype)
    if dtype == torch.float32:
        for t in steps:
            x = scheduler.step(denoise(case, x, t), t, x).prev_sample
        return scheduler.timesteps, x
    # step() computes in fp32 whatever it is given, so its parts are called as it calls them.
    alpha_bar = exact_of(case)[steps]
    if case["zero_terminal_snr"]:
        alpha_bar[0] = 2**-24  # as the scheduler lifts it
    scheduler.sigmas = torch.cat([((1 - alpha_bar) / alpha_bar).sqrt(), torch.zeros(1, dtype=dtype)])
    for k, t in enumerate(steps):
        scheduler._step_index = k
        image = scheduler.convert_model_output(denoise(case, x, t), sample=x)
        scheduler.model_outputs = [scheduler.model_outputs[-1], image]
        if k == 0 or k + 1 == len(steps):
            x = scheduler.dpm_solver_first_order_update(image, sample=x)
        else:
            x = scheduler.multistep_dpm_solver_second_order_update(scheduler.model_outputs, sample=x)
    return scheduler.timesteps, x


RUN = {"ddpm": run_ddpm, "ddim": run_ddim, "plms": run_plms, "dpmpp_2m": run_dpmpp_2m}


def run_iddm(case, dtype):
    betas = exact_betas(case["schedule"])
    if dtype == torch.float32:
        betas = prepare(DDPMScheduler, case, dtype).betas  # as IDDM computes them, too
    alpha_bar = torch.cumprod(1 - betas, 0)
    x = formulas.starting_noise(SHAPE).to(dtype)
    predict = lambda at_t, t: denoise(case, at_t, t)  # noqa: E731
    if case["sampler"] == "ddpm":
        noise = lambda k: formulas.step_noise(SHAPE, k).to(dtype)  # noqa: E731
        return None, iddm_samplers.ddpm(predict, x, betas, alpha_bar, noise)
    visited = [t for t, _ in iddm_samplers.time_pairs(T, case["steps"])]
    run = iddm_samplers.ddim if case["sampler"] == "ddim" else iddm_samplers.plms
    return torch.tensor(visited), run(predict, x, alpha_bar, case["steps"])


def numbers(tensor):
    digits = 17 if tensor.dtype == torch.float64 else 9
    return [float(f"{v:.{digits}g}") for v in tensor.double().flatten().tolist()]


def describe(case):
    run = run_iddm if case["convention"] == "iddm" else RUN[case["sampler"]]
    visited, single = run(case, torch.float32)
    double = run(case, torch.float64)[1]
    assert double.isfinite().all(), case
    return case | {
        "time_steps": visited.tolist() if case["steps"] <= 50 else [],
        "fp32": numbers(single),
        "fp64": numbers(double),
    }


def effuse_cases():
    for schedule in ("linear", "cosine"):
        case = BASE | {"schedule": schedule}
        for steps in (10, 50):
            for spacing in ("linspace", "leading", "trailing"):
                spaced = case | {"steps": steps, "spacing": spacing}
                yield spaced | {"sampler": "ddpm"}
                yield spaced | {"sampler": "ddim"}
            yield spaced | {"sampler": "ddim", "eta": 0.6}
            yield spaced | {"sampler": "ddim", "eta": 1.0}
            yield spaced | {"sampler": "ddpm", "variance": "fixed_large"}
        for steps in (10, 50, T):
            for sampler in ("plms", "dpmpp_2m"):
                yield case | {"sampler": sampler, "steps": steps, "clip": False}
        yield case | {"sampler": "dpmpp_2m", "steps": 20, "clip": False}
        yield case | {"sampler": "plms", "steps": 20, "spacing": "trailing", "clip": False}
        for sampler in ("ddpm", "ddim"):
            yield case | {"sampler": sampler, "steps": 20, "spacing": "trailing"}
            yield case | {"sampler": sampler, "steps": T}
            yield case | {"sampler": sampler, "steps": 20, "spacing": "leading", "clip": False}


def diffusers_cases():
    for sampler in RUN:
        case = BASE | {"sampler": sampler, "convention": "diffusers", "steps": 20}
        for spacing in ("linspace", "leading", "trailing"):
            yield case | {"spacing": spacing}
            yield case | {"spacing": spacing, "schedule": "cosine"}
            yield case | {"spacing": spacing, "steps": 1}
        yield case | {"steps": 50, "spacing": "leading", "schedule": "scaled_linear"}
        yield case | {"steps": 7, "spacing": "leading"}
        yield case | {"spacing": "leading", "prediction": "v_prediction"}
        if sampler != "plms":
            yield case | {"spacing": "leading", "prediction": "sample"}
            yield case | {"spacing": "trailing", "prediction": "v_prediction", "zero_terminal_snr": True}
    case = BASE | {"convention": "diffusers", "steps": 20}
    yield case | {"sampler": "ddpm", "spacing": "trailing", "variance": "fixed_large"}
    yield case | {"sampler": "ddim", "spacing": "trailing", "eta": 1.0}


def iddm_cases():
    for schedule in ("linear", "cosine"):
        case = BASE | {"schedule": schedule, "convention": "iddm", "spacing": "auto"}
        for steps in (10, 20, 50):
            yield case | {"sampler": "ddim", "steps": steps}
            yield case | {"sampler": "plms", "steps": steps}
        yield case | {"sampler": "ddpm", "steps": T}


def main():
    indices = [0, 1, 2, 10, 250, 500, 900, 998, 999]
    schedules = {}
    for name in SCHEDULES:
        scheduler = prepare(DDPMScheduler, BASE | {"schedule": name}, torch.float32)
        rescaled = prepare(
            DDPMScheduler, BASE | {"schedule": name, "zero_terminal_snr": True}, torch.float32
        )
        schedules[name] = {
            "indices": indices,
            "betas": scheduler.betas[indices].tolist(),
            "alpha_bar": scheduler.alphas_cumprod[indices].tolist(),
            "exact_alpha_bar": exact_alpha_bar(name)[indices].tolist(),
            "zero_terminal_snr": rescaled.alphas_cumprod[indices].tolist(),
        }
    cases = [describe(case) for case in (*effuse_cases(), *diffusers_cases(), *iddm_cases())]
    golden = {"shape": SHAPE, "schedules": schedules, "cases": cases}
    path = pathlib.Path(__file__).parent / "samplers.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
