"""Which share of the communication of a step is hidden behind its computation, for Effuse and for DDP alike.

exposed   what a step takes longer than one in which every rank trains for itself, with as many images and on cores
          of its own: runs of effuse-train side by side, and DDP's no_sync().
total     Effuse: the reductions' own time as train.jsonl has it; DDP: its buckets reduced with nothing else to do.
hidden    1 - exposed / total, at least 0.
"""

import concurrent.futures
import dataclasses
from statistics import median

import machine
from effuse import Effuse


@dataclasses.dataclass
class Communication:
    name: str
    step_s: float
    alone_s: float
    total_s: float
    waited_s: float = float("nan")  # after the backward pass, by Effuse's own account

    @property
    def exposed_s(self):
        return max(0.0, self.step_s - self.alone_s)

    @property
    def hidden(self):
        return max(0.0, 1 - self.exposed_s / self.total_s) if self.total_s > 0 else 1.0


class SideBySide(Effuse):
    """One of several runs of one rank each, where rank `place` of a common run would be."""

    def __init__(self, setup, variant, place):
        share = dataclasses.replace(setup, batch_size=max(1, setup.batch_size // variant.ranks))
        super().__init__(share, dataclasses.replace(variant, ranks=1, backend="auto"))
        self.place = place

    def launcher(self):
        if self.variant.device == "cuda":
            return ["env", f"CUDA_VISIBLE_DEVICES={self.place}"]
        cores = ",".join(map(str, machine.cores_of_rank(self.place, self.variant.threads)))
        return ["taskset", "-c", cores] if self.variant.bound else []


def of_effuse(name, setup, variant, steps, warm_up, rounds):
    runs = [SideBySide(setup, variant, place) for place in range(variant.ranks)]
    together, alone, reports = [], [], []
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
        for _ in range(rounds):
            burst = Effuse(setup, variant).burst(steps, warm_up)
            together += burst.seconds
            reports += burst.reports
            bursts = pool.map(lambda run: run.burst(steps, warm_up), runs)
            alone.append(max(median(burst.seconds) for burst in bursts))  # the slower rank sets the pace
    return Communication(name, median(together), median(alone), median(r["communication_s"] for r in reports),
                         median(r["exposed_communication_s"] for r in reports))


def of_ddp(name, peer, steps, warm_up, rounds):
    """`peer`: a running PyTorch of several ranks."""
    together, alone = [], []
    for _ in range(rounds):
        together += peer.burst(steps, warm_up).seconds
        alone += peer.burst(steps, warm_up, reduce=False).seconds
    return Communication(name, median(together), median(alone), peer.ask("reductions", count=9)["seconds"])
