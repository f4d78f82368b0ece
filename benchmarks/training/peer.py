"""One rank of a training program in PyTorch, kept waiting between bursts of steps.

    peer.py START VARIANT LOG RANK RENDEZVOUS

START is what training_start wrote, VARIANT a PeerVariant as JSON. Begins with the drawn steps of START, so that its
losses can be held against Effuse's, then obeys commands, a JSON object a line, on stdin; rank 0 answers on stdout:

    {"do": "steps", "count": 10}                  a line to LOG at the end of each step; answers the losses
    {"do": "steps", "count": 10, "reduce": false}  the same, every rank by itself
    {"do": "reductions", "count": 10}             DDP's buckets reduced with nothing else to do: seconds a step
    {"do": "profile", "count": 3}                 operations and kernels as step_profile prints them
    {"do": "flops"}                               of convolutions and products, forward and backward, one step
"""

import json
import os
import pathlib
import sys
import time
import tomllib

import torch
import torch.distributed as dist
from safetensors.torch import load_file

from peer_profile import count_flops, profile
from peer_step import PeerStep, Settings
from variant import PeerVariant


class Peer:
    def __init__(self, start, variant, log, rank, rendezvous):
        self.variant, self.rank = variant, rank
        self.device = torch.device(variant.device, rank) if variant.device == "cuda" else torch.device("cpu")
        set_up(variant, self.device, rank, rendezvous)
        config = tomllib.loads((pathlib.Path(start) / "config.toml").read_text())
        data = load_file(pathlib.Path(start) / "batches.safetensors")
        # This rank's share of every batch, in its place: nothing is read or decoded while it trains.
        self.data = {name: tensor.tensor_split(variant.ranks, 1)[rank].to(self.device) for name, tensor in data.items()}
        self.step = PeerStep(start, Settings.of(config), variant, self.device)
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if rank == 0 else None

    def first_steps(self):
        """With the draws of Effuse's run."""
        losses = []
        for k, (t, noise) in enumerate(zip(self.data["t"], self.data["noise"])):
            labels = self.data["dropped_labels"][k] if "dropped_labels" in self.data else None
            losses.append(self.step.run(self.data["images"][k], labels, (t, noise, labels)))
        return self.mean(losses)

    def steps(self, count, reduce=True):
        losses, passed = [], []
        for _ in range(count):
            k = self.step.steps % len(self.data["images"])
            losses.append(self.step.run(self.data["images"][k], self.data["labels"][k], reduce=reduce))
            passed.append(self.point())
            if len(passed) > 1:  # as Effuse does: the host is a step ahead of a GPU
                self.note(passed.pop(0))
        while passed:
            self.note(passed.pop(0))
        return self.mean(losses) if reduce else []

    def point(self):
        if self.device.type != "cuda":
            self.note_now()
            return None
        event = torch.cuda.Event()
        event.record()
        return event

    def note(self, event):
        if event is not None:
            event.synchronize()
            self.note_now()

    def note_now(self):
        if self.log is not None:
            os.write(self.log, b'{"step": %d}\n' % self.step.steps)

    def mean(self, losses):
        """Over the ranks."""
        losses = torch.stack(losses).double()
        if dist.is_initialized():
            dist.all_reduce(losses)
            losses /= dist.get_world_size()
        return losses.tolist()

    def reductions(self, count):
        sizes = self.step.network._get_ddp_logging_data()
        text = sizes.get("rebuilt_bucket_sizes") or sizes["bucket_sizes"]
        bytes_of = [int(size) for size in text.split(",")]
        width = 2 if self.variant.compress else 4
        buckets = [torch.zeros(size // width, dtype=torch.bfloat16 if width == 2 else torch.float32,
                               device=self.device) for size in bytes_of]
        seconds = []
        for _ in range(count + 1):
            dist.barrier()
            began = time.perf_counter()
            for work in [dist.all_reduce(bucket, async_op=True) for bucket in buckets]:
                work.wait()
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - began)
        return {"bytes": bytes_of, "seconds": sorted(seconds[1:])[count // 2]}

    def one(self):
        k = self.step.steps % len(self.data["images"])
        self.step.run(self.data["images"][k], self.data["labels"][k])

    def obey(self, command):
        what = command.pop("do")
        if what == "profile":
            return profile(self.one, command["count"], self.device)
        if what == "flops":
            return count_flops(self.one) * self.variant.ranks
        return {"steps": self.steps, "reductions": self.reductions}[what](**command)


def set_up(variant, device, rank, rendezvous):
    torch.set_num_threads(variant.threads)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    if variant.ddp:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=rank, world_size=variant.ranks,
                                init_method=f"file://{rendezvous}")


def main(start, variant, log, rank, rendezvous):
    peer = Peer(start, PeerVariant.of(variant), log, int(rank), rendezvous)

    def answer(value):
        if peer.rank == 0:
            print(json.dumps(value), flush=True)

    answer({"first_losses": peer.first_steps(), "torch": torch.__version__})
    for line in sys.stdin:
        answer(peer.obey(json.loads(line)))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
