#!/usr/bin/env python3
"""Writes samplers.json: noise schedules and samplers of diffusers on an analytic denoiser.

Each case is run twice: with diffusers' own fp32 tables, and in float64 throughout, with tables in
float64 put in their place.
"""

import json
import math
import pathlib

import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.schedulers import scheduling_ddpm

import formulas

T = 1000
SHAPE = (2, 1, 4, 4)
SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2"}


def exact_alpha_bar(schedule):
    if schedule == "linear":
        betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    else:
        f = [math.cos((i / T + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(T + 1)]
        betas = torch.tensor([min(1 - f[i + 1] / f[i], 0.999) for i in range(T)], dtype=torch.float64)
    return torch.cumprod(1 - betas, 0)


def prepare(cls, schedule, dtype, **settings):
    scheduler = cls(num_train_timesteps=T, beta_schedule=SCHEDULES[schedule], **settings)
    if dtype == torch.float64:
        scheduler.alphas_cumprod = exact_alpha_bar(schedule)
        scheduler.one = scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=dtype)
    return scheduler


def run_ddpm(case, dtype):
    scheduler = prepare(DDPMScheduler, case["schedule"], dtype, timestep_spacing=case["spacing"])
    scheduler.set_timesteps(case["steps"])
    exact = exact_alpha_bar(case["schedule"])
    x = formulas.starting_noise(SHAPE).to(dtype)
    for k, t in enumerate(scheduler.timesteps):
        scheduling_ddpm.randn_tensor = lambda *a, **b: formulas.step_noise(SHAPE, k).to(dtype)
        x = scheduler.step(formulas.gaussian_denoiser(x, exact[t]), t, x).prev_sample
    return scheduler, x


def run_ddim(case, dtype):
    scheduler = prepare(DDIMScheduler, case["schedule"], dtype, timestep_spacing=case["spacing"])
    scheduler.set_timesteps(case["steps"])
    exact = exact_alpha_bar(case["schedule"])
    x = formulas.starting_noise(SHAPE).to(dtype)
    steps = scheduler.timesteps.tolist()
    for k, t in enumerate(steps):
        # diffusers steps to t - T // num_inference_steps, which for linspace is not the time step
        # visited next; a number of steps is put in here for which it is.
        stride = t - steps[k + 1] if k + 1 < len(steps) else T
        scheduler.num_inference_steps = T // stride
        assert T // scheduler.num_inference_steps == stride
        x = scheduler.step(
            formulas.gaussian_denoiser(x, exact[t]),
            t,
            x,
            eta=case["eta"],
            variance_noise=formulas.step_noise(SHAPE, k).to(dtype) if case["eta"] > 0 else None,
        ).prev_sample
    return scheduler, x


def describe(case):
    run = run_ddpm if case["sampler"] == "ddpm" else run_ddim
    scheduler, single = run(case, torch.float32)
    double = run(case, torch.float64)[1]
    return case | {
        "time_steps": scheduler.timesteps.tolist() if case["steps"] <= 50 else [],
        "fp32": single.flatten().tolist(),
        "fp64": double.flatten().tolist(),
    }


def cases():
    for schedule in SCHEDULES:
        for steps in (10, 50):
            for spacing in ("linspace", "leading", "trailing"):
                case = {"schedule": schedule, "steps": steps, "spacing": spacing, "eta": 0.0}
                yield case | {"sampler": "ddpm"}
                yield case | {"sampler": "ddim"}
            yield case | {"sampler": "ddim", "eta": 0.6}
            yield case | {"sampler": "ddim", "eta": 1.0}
        full = {"schedule": schedule, "steps": T, "spacing": "linspace", "eta": 0.0}
        yield full | {"sampler": "ddpm"}
        yield full | {"sampler": "ddim"}


def main():
    indices = [0, 1, 2, 10, 250, 500, 900, 998, 999]
    schedules = {}
    for name in SCHEDULES:
        scheduler = prepare(DDPMScheduler, name, torch.float32)
        schedules[name] = {
            "indices": indices,
            "betas": scheduler.betas[indices].tolist(),
            "alpha_bar": scheduler.alphas_cumprod[indices].tolist(),
            "exact_alpha_bar": exact_alpha_bar(name)[indices].tolist(),
        }
    golden = {"shape": SHAPE, "schedules": schedules, "cases": [describe(c) for c in cases()]}
    path = pathlib.Path(__file__).parent / "samplers.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
