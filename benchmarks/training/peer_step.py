"""A training step in PyTorch that does what Effuse's does: epsilon or another target by mean squared error under
autocast or in bf16, gradient clipping, AdamW, an averaged copy of the weights. No step waits for the host."""

import contextlib
import dataclasses

import torch
import torch.nn.functional as F
from torch.profiler import record_function

from peer_network import attention_of, load_network, wrap


@dataclasses.dataclass
class Settings:
    """Of the resolved configuration, what the step needs."""

    diffusion: dict
    optimizer: dict
    ema: dict
    labels: int  # 0: unconditional

    @staticmethod
    def of(config):
        diffusion, optimizer = config["diffusion"], config["optimizer"]
        wanted = {"schedule": "linear", "prediction": "epsilon", "loss": "mse", "min_snr_gamma": 0.0,
                  "zero_terminal_snr": False, "min_alpha_bar": 0.0}
        wrong = [key for key, value in wanted.items() if diffusion[key] != value]
        wrong += [key for key, value in {"name": "adamw", "lr_schedule": "constant", "warmup_steps": 0}.items()
                  if optimizer[key] != value]
        wrong += ["copy_steps"] if config["ema"]["copy_steps"] else []
        wrong += ["dropout"] if config["model"]["dropout"] else []
        if wrong:
            raise SystemExit(f"peer.py: it does not do what the configuration says of {', '.join(wrong)}")
        return Settings(diffusion, optimizer, config["ema"], config["model"]["num_class_embeds"])

    def ema_decay(self, step):
        decay = self.ema["decay"]
        return min(decay, (1 + step) / (10 + step)) if self.ema["warmup"] else decay


class PeerStep:
    """The state of one rank's training."""

    def __init__(self, start, settings, variant, device):
        self.settings, self.variant, self.device = settings, variant, device
        self.bare = load_network(start, variant, device)
        self.weights = list(self.bare.parameters())
        pure = variant.precision == "pure"
        self.masters = [w.detach().float().clone() for w in self.weights] if pure else self.weights
        self.average = [w.detach().float().clone() for w in self.weights]
        self.network = wrap(self.bare, variant)
        o = settings.optimizer
        self.optimizer = torch.optim.AdamW(
            self.masters, lr=o["lr"], betas=(o["beta1"], o["beta2"]), eps=o["eps"], fused=True,
            weight_decay=0.01 if o["weight_decay"] == -1 else o["weight_decay"])
        d = settings.diffusion
        betas = torch.linspace(d["beta_start"], d["beta_end"], d["timesteps"], dtype=torch.float64)
        alpha_bar = (1 - betas).cumprod(0)
        self.signal = alpha_bar.sqrt().float().to(device)
        self.sigma = (1 - alpha_bar).sqrt().float().to(device)
        self.memory = torch.channels_last if variant.layout == "channels_last" else torch.contiguous_format
        self.steps = 0

    def draw(self, count, labels):
        """Time steps, noise and labels, some of which are dropped."""
        t = torch.randint(self.settings.diffusion["timesteps"], (count,), device=self.device)
        noise = torch.randn(self.noise_shape(count), device=self.device)
        if self.settings.labels:
            dropped = torch.rand(count, device=self.device) < self.settings.diffusion["label_drop"]
            labels = torch.where(dropped, self.settings.labels - 1, labels)
        return t, noise, labels

    def noise_shape(self, count):
        c = self.bare.config
        return count, c.in_channels, c.sample_size, c.sample_size

    def loss_of(self, images, t, noise, labels):
        x0 = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        noisy = self.signal[t].view(-1, 1, 1, 1) * x0 + self.sigma[t].view(-1, 1, 1, 1) * noise
        noisy = noisy.to(self.weights[0].dtype).contiguous(memory_format=self.memory)
        autocast = self.variant.precision == "autocast"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=autocast), attention_of(self.variant):
            prediction = self.network(noisy, t, labels if self.settings.labels else None, return_dict=False)[0]
        return F.mse_loss(prediction.float(), noise)

    def run(self, images, labels, draws=None, reduce=True):
        """One step; returns the loss as a tensor. `reduce`: False leaves each rank to itself."""
        with record_function("peer::draws"):
            t, noise, labels = draws or self.draw(len(images), labels)
        alone = contextlib.nullcontext() if reduce or not hasattr(self.network, "no_sync") else self.network.no_sync()
        with alone:
            loss = self.loss_of(images, t, noise, labels)
            loss.backward()
        with record_function("peer::update"):
            self.update()
        return loss.detach()

    @torch.no_grad()
    def update(self):
        if self.masters is not self.weights:
            for master, weight in zip(self.masters, self.weights):
                master.grad = torch.empty_like(master) if master.grad is None else master.grad
            torch._foreach_copy_([m.grad for m in self.masters], [w.grad for w in self.weights])
        if self.settings.optimizer["grad_clip"]:
            torch.nn.utils.clip_grad_norm_(self.masters, self.settings.optimizer["grad_clip"], foreach=True)
        self.optimizer.step()
        if self.masters is not self.weights:
            torch._foreach_copy_(self.weights, self.masters)
        self.steps += 1
        torch._foreach_lerp_(self.average, self.masters, 1 - self.settings.ema_decay(self.steps))
        for weight in self.weights:
            weight.grad = None
