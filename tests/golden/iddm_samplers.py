"""IDDM's ddpm, ddim (eta 0) and plms, written down a second time with PyTorch."""

import torch


def ddim_step(x, noise, now, to):
    image = ((x - torch.sqrt(1 - now) * noise) / torch.sqrt(now)).clamp(-1, 1)
    return torch.sqrt(to) * image + torch.sqrt(1 - to) * noise


def time_pairs(total, steps):
    visited = list(range(1, total + 1, total // steps))[::-1]
    return list(zip(visited, visited[1:] + [0]))


def ddim(denoise, x, alpha_bar, steps):
    for t, to in time_pairs(len(alpha_bar), steps):
        x = ddim_step(x, denoise(x, t), alpha_bar[t], alpha_bar[to])
    return x


def plms(denoise, x, alpha_bar, steps):
    before = []
    for t, to in time_pairs(len(alpha_bar), steps):
        noise = denoise(x, t)
        if len(before) == 0:
            ahead = denoise(ddim_step(x, noise, alpha_bar[t], alpha_bar[to]), to)
            mean = (noise + ahead) / 2
        elif len(before) == 1:
            mean = (3 * noise - before[0]) / 2
        elif len(before) == 2:
            mean = (23 * noise - 16 * before[0] + 5 * before[1]) / 12
        else:
            mean = (55 * noise - 59 * before[0] + 37 * before[1] - 9 * before[2]) / 24
        before = [noise, *before][:3]
        x = ddim_step(x, mean, alpha_bar[t], alpha_bar[to])
    return x


def ddpm(denoise, x, betas, alpha_bar, step_noise):
    for k, t in enumerate(range(len(betas) - 1, 0, -1)):
        alpha = 1 - betas[t]
        mean = (x - (1 - alpha) / torch.sqrt(1 - alpha_bar[t]) * denoise(x, t)) / torch.sqrt(alpha)
        x = mean + torch.sqrt(betas[t]) * step_noise(k) if t > 1 else mean
    return x.clamp(-1, 1)
