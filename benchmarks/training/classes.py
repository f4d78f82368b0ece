"""The classes of programs that are compared, on a device, and what is tried to make each as fast as it gets."""

import dataclasses

import machine
from effuse import Effuse
from pytorch import PyTorch
from variant import EffuseVariant, PeerVariant


@dataclasses.dataclass
class Class:
    """Variants are tried in stages: each changes the fastest one so far."""

    name: str
    program: type
    base: object
    stages: list  # of lists of changes


LAYOUTS = ("contiguous", "channels_last")
ALLOCATORS = [dict(allocator=a) for a in machine.allocators()]


def precisions(device):
    """The usual one first."""
    if device == "cuda":
        return ["autocast", "pure"]
    return ["autocast", "pure", "fp32"] if machine.has_bf16(device) else ["fp32"]


def with_layouts(precisions_tried):
    return [dict(precision=p, layout=m) for p in precisions_tried for m in LAYOUTS]


def effuse_class(name, device, ranks, threads, backend="auto"):
    usual, *others = precisions(device)
    settings = {"autocast": dict(compute="bf16"), "pure": dict(compute="bf16", weights="compute"),
                "fp32": dict(compute="fp32")}
    base = EffuseVariant(ranks=ranks, threads=threads, device=device, backend=backend, **settings[usual])
    stages = [[settings[p] for p in others], [dict(layout=layout) for layout in LAYOUTS]]
    if ranks > 1:
        stages.append([dict(bucket_mib=2.0), dict(bucket_mib=25.0)])
        stages.append([dict(gradient_type="bf16")])
    if ranks > 1 and device == "cpu":
        stages.append([dict(bound=False)])
    return Class(name, Effuse, base, stages)


def eager_class(device, threads):
    attention = ["math"] if device == "cpu" else ["flash", "efficient", "cudnn"]
    stages = [with_layouts(precisions(device)), [dict(attention=a) for a in attention]]
    if device == "cpu":
        stages += [ALLOCATORS, [dict(bound=False)]]
    base = PeerVariant(threads=threads, device=device, precision=precisions(device)[0])
    return Class("PyTorch eager", PyTorch, base, stages)


def compiled_class(device, threads):
    modes = ["max-autotune-no-cudagraphs"] + (["reduce-overhead", "max-autotune"] if device == "cuda" else [])
    usual, *others = precisions(device)
    # Each trial compiles, which takes minutes on two cores.
    stages = [[dict(precision=p) for p in others], [dict(layout="channels_last")],
              [dict(compile=mode) for mode in modes], ALLOCATORS if device == "cpu" else []]
    base = PeerVariant(threads=threads, device=device, precision=usual, compile="default")
    return Class("PyTorch compiled", PyTorch, base, stages)


def ddp_class(device, ranks, threads):
    base = PeerVariant(ranks=ranks, threads=threads, device=device, ddp=True, precision=precisions(device)[0])
    stages = [with_layouts(precisions(device)), [dict(compile="default")], [dict(bucket_mib=4.0), dict(bucket_mib=100.0)],
              [dict(compress=True)]]
    if device == "cpu":
        stages += [ALLOCATORS, [dict(bound=False)]]
    return Class(f"PyTorch DDP, {ranks} ranks", PyTorch, base, stages)


def classes_on(device):
    """[(Effuse's class, the peers it is compared with)]."""
    cores = len(machine.cores())
    if device == "cpu":
        ranks = min(2, cores)
        alone = effuse_class("Effuse, 1 rank", device, 1, cores)
        together = effuse_class(f"Effuse, {ranks} ranks", device, ranks, cores // ranks)
        return [(alone, [eager_class(device, cores), compiled_class(device, cores)]),
                (together, [ddp_class(device, ranks, cores // ranks)])]
    gpus = len(machine.gpus())
    threads = max(1, cores // gpus)
    alone = effuse_class("Effuse, 1 GPU", device, 1, threads)
    together = effuse_class(f"Effuse, NCCL on {gpus}", device, gpus, threads, "nccl")
    return [(alone, [eager_class(device, threads), compiled_class(device, threads)]),
            (together, [ddp_class(device, gpus, threads)])]
