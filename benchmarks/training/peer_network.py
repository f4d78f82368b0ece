"""The network of a starting point (training_start) in PyTorch, as a variant computes it."""

import contextlib
import pathlib

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {"math": SDPBackend.MATH, "flash": SDPBackend.FLASH_ATTENTION,
            "efficient": SDPBackend.EFFICIENT_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}


def load_network(start, variant, device):
    """diffusers' UNet2DModel with the first weights of Effuse's run."""
    from diffusers import UNet2DModel

    network = UNet2DModel.from_pretrained(pathlib.Path(start) / "model", subfolder="unet").train().to(device)
    if variant.precision == "pure":
        network = network.to(torch.bfloat16)
    if variant.layout == "channels_last":
        network = network.to(memory_format=torch.channels_last)
    return network


def attention_of(variant):
    """A context in which SDPA takes the variant's backend."""
    return contextlib.nullcontext() if variant.attention == "default" else sdpa_kernel(BACKENDS[variant.attention])


def wrap(network, variant):
    """Under DDP where there are several ranks, or one over NCCL, and compiled where that is asked for."""
    if torch.distributed.is_initialized():
        from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

        network = torch.nn.parallel.DistributedDataParallel(
            network, gradient_as_bucket_view=True, static_graph=not variant.compile,
            bucket_cap_mb=variant.bucket_mib, broadcast_buffers=False)
        if variant.compress:
            network.register_comm_hook(None, default_hooks.bf16_compress_hook)
    if variant.compile:
        network = torch.compile(network, mode=None if variant.compile == "default" else variant.compile,
                                dynamic=False)
    return network
