"""How a program is to compute the same training: what is tuned, and what stays as it is chosen."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class PeerVariant:
    """One way to run peer.py."""

    ranks: int = 1
    threads: int = 2  # per rank
    device: str = "cpu"
    ddp: bool = False
    precision: str = "autocast"  # fp32 | autocast (bf16) | pure (bf16 weights beside fp32 master weights)
    layout: str = "contiguous"  # contiguous | channels_last
    attention: str = "default"  # default | math | flash | efficient | cudnn: backend of SDPA
    compile: str = ""  # "" | a mode of torch.compile
    allocator: str = ""  # "" | one of machine.allocators()
    bound: bool = True  # each rank to cores of its own
    bucket_mib: float = 25.0  # DDP's default
    compress: bool = False  # gradients travel as bf16 (DDP's bf16_compress_hook)

    def text(self):
        """What differs from the defaults, in words."""
        words = [self.precision, self.layout]
        words += [f"compile {self.compile}"] if self.compile else []
        words += [f"attention {self.attention}"] if self.attention != "default" else []
        words += [self.allocator.split("/")[-1].split(".")[0]] if self.allocator else []
        if self.ddp:
            words += [f"buckets of {self.bucket_mib:g} MiB"]
            words += [] if self.bound else ["unbound"]
            words += ["bf16 gradients"] if self.compress else []
        return ", ".join(words)

    @staticmethod
    def of(text):
        return PeerVariant(**json.loads(text))


@dataclasses.dataclass(frozen=True)
class EffuseVariant:
    """One way to run effuse-train."""

    ranks: int = 1
    threads: int = 2
    device: str = "cpu"
    backend: str = "auto"
    weights: str = "fp32"  # precision.weights: fp32 (autocast) | compute (bf16 weights beside master weights)
    compute: str = "bf16"
    layout: str = "auto"
    bound: bool = True
    bucket_mib: float = 8.0
    gradient_type: str = "fp32"

    def text(self):
        words = ["autocast" if self.weights == "fp32" else "pure"]
        words = ["fp32"] if self.compute == "fp32" else words
        words += [self.layout] if self.layout != "auto" else []
        if self.ranks > 1:
            words += [f"buckets of {self.bucket_mib:g} MiB"]
            words += [] if self.bound else ["unbound"]
            words += ["bf16 gradients"] if self.gradient_type == "bf16" else []
        return ", ".join(words)

    def settings(self):
        """As keys of the configuration."""
        return {"precision.compute": self.compute, "precision.weights": self.weights,
                "precision.layout": self.layout, "parallel.threads": self.threads,
                "parallel.device": self.device, "parallel.backend": self.backend,
                "parallel.bucket_mib": self.bucket_mib,
                "parallel.gradient_type": self.gradient_type}
