"""PyTorch as one of the programs that are compared: processes of peer.py that wait between bursts."""

import itertools
import json
import os
import pathlib
import select
import subprocess
import sys

import machine
from effuse import Burst, ProgramFailed
from step_clock import StepClock

ANSWER_WITHIN_S = 1800  # the first one waits for compilers


class PyTorch:
    numbers = itertools.count()

    def __init__(self, setup, variant):
        self.setup, self.variant = setup, variant
        self.first_losses = None
        self.place = setup.work / "peers" / f"{os.getpid()}-{next(self.numbers)}"
        self.ranks = []

    def start(self):
        self.place.mkdir(parents=True, exist_ok=True)
        self.log = self.place / "steps.jsonl"
        self.log.touch()
        self.ranks = [self._start_rank(rank) for rank in range(self.variant.ranks)]
        try:
            self.first_losses = self._answer()["first_losses"]
        except ProgramFailed:
            self.close()
            raise
        return self

    def _start_rank(self, rank):
        variant = self.variant
        more = {"TORCHINDUCTOR_CACHE_DIR": str(self.setup.work / "inductor"), "GLOO_SOCKET_IFNAME": "lo"}
        bind = None
        if variant.bound and variant.device == "cpu":
            more["OMP_PROC_BIND"] = "close"
            own = machine.cores_of_rank(rank, variant.threads)
            bind = lambda: os.sched_setaffinity(0, own)  # noqa: E731
        command = [sys.executable, pathlib.Path(__file__).with_name("peer.py"), self.setup.start,
                   json.dumps(vars(variant)), self.log, str(rank), self.place / "rendezvous"]
        with open(self.place / f"rank-{rank}.log", "w") as errors:
            return subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, text=True, preexec_fn=bind,
                                    stdout=subprocess.PIPE if rank == 0 else errors, stderr=errors,
                                    env=machine.environment(variant.threads, variant.allocator, **more))

    def _answer(self):
        ready = select.select([self.ranks[0].stdout], [], [], ANSWER_WITHIN_S)[0]
        line = self.ranks[0].stdout.readline() if ready else ""
        if not line:
            said = [(self.place / f"rank-{rank}.log").read_text().strip() for rank in range(self.variant.ranks)]
            raise ProgramFailed("\n".join(text for text in said if text) or "it gave no answer")
        return json.loads(line)

    def ask(self, what, **arguments):
        line = json.dumps({"do": what, **arguments}) + "\n"
        try:
            for rank in self.ranks:
                rank.stdin.write(line)
                rank.stdin.flush()
        except BrokenPipeError:
            pass  # _answer() says why
        return self._answer()

    def burst(self, count, warm_up, reduce=True):
        with StepClock(self.log) as clock:
            losses = self.ask("steps", count=warm_up + count + 2, reduce=reduce)
        return Burst(clock.intervals(warm_up), losses)

    def close(self):
        for rank in self.ranks:
            rank.stdin.close()
        for rank in self.ranks:
            try:
                rank.wait(timeout=30)
            except subprocess.TimeoutExpired:
                rank.kill()
                rank.wait()
        self.ranks = []
