"""Training by Effuse beside training by PyTorch on this machine: the same network, weights, images and batch.

    compare.py NETWORK... [--device cpu|cuda] [--rounds N] [--steps N] [--tune] [--account] [--report FILE.md]

NETWORK: fashion, cifar (files of networks/), or a TOML file. Says how many times as many images a second Effuse makes
as eager PyTorch, as torch.compile and as DDP, with 95 % intervals. The programs take turns in short bursts of steps;
the time of a step is that between two lines of a program's log, seen from outside. The losses of the first steps of
each have to be those of Effuse in fp32 on the CPU: all begin with the same weights, images, time steps and noise.

--tune tries the variants of each program first and remembers the fastest in the working folder; without it the
remembered ones are taken. --account adds where the time of a step goes. --quick: two short rounds, to see that all
parts work.

Ends with 1 where losses differ, a program fails or, but for --quick, Effuse is slower than a peer (the interval's
lower end is below 0.97)."""

import argparse
import dataclasses
import pathlib
import shlex
import shutil
import sys
import time

import account
import classes
import communication
import machine
import parity
import ratios
import report
import start
import tune
from effuse import Effuse, ProgramFailed
from variant import EffuseVariant


@dataclasses.dataclass
class Contender:
    name: str
    variant: object
    running: object
    rounds: list = dataclasses.field(default_factory=list)  # of seconds per step
    difference: float = 0.0  # of its first losses from Effuse's on the CPU


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8, help="timed steps of a burst")
    parser.add_argument("--warm-up", type=int, default=3, help="steps before them")
    parser.add_argument("--batch-size", type=int, default=0, help="in place of the network file's")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--account", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--without", action="append", default=[], metavar="WORD",
                        help="leave out programs with WORD in their names; repeatable")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE.md")
    parser.add_argument("--data", type=pathlib.Path, help="packed data set; default: one of random images")
    parser.add_argument("--bin", type=pathlib.Path, default=machine.REPOSITORY / "build/release/bin")
    parser.add_argument("--work", type=pathlib.Path, default=machine.REPOSITORY / "build/benchmarks/training")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.steps, options.warm_up = 2, 2, 1
    return options


def say(text, began=time.monotonic()):
    print(f"[{time.monotonic() - began:4.0f} s] {text}", file=sys.stderr, flush=True)


def groups_of(options):
    """[[Effuse's class, its peers...]], without what cannot run here, which is said."""
    missing = machine.missing_modules("torch", "diffusers", "safetensors")
    if missing:
        say(f"NOT COMPARED with PyTorch: {sys.executable} has no {', '.join(missing)}. "
            "scripts/setup --references installs them.")
    groups = []
    for ours, peers in classes.classes_on(options.device):
        if ours.base.ranks > 1 and shutil.which("mpirun") is None:
            say(f"NOT COMPARED: there is no mpirun to start {ours.name} with")
            continue
        group = [ours, *([] if missing else peers)]
        group = [of_class for of_class in group if not any(word in of_class.name for word in options.without)]
        if ours in group:
            groups.append(group)
    return groups


def trials_of(options, setup, of_class, reference):
    name = of_class.name.replace(",", "").replace(" ", "-").lower()
    file = options.work / f"tuned-{setup.name}-{setup.device}-{name}.json"
    if options.tune:
        say(f"tuning {of_class.name}")
        tune.remember(file, tune.tune(setup, of_class, reference))
    return tune.remembered(file, of_class)


def reference_losses(setup):
    variant = EffuseVariant(threads=len(machine.cores()), compute="fp32")
    on_cpu = dataclasses.replace(setup, device="cpu")
    return Effuse(on_cpu, variant).burst(start.DRAWN, 0).losses[:start.DRAWN]


def launch(setup, groups, trials, started):
    """Fills `started` with the groups as contenders."""
    for group in groups:
        started.append([])
        for of_class in group:
            variant = trials[of_class.name][0].variant
            say(f"starting {of_class.name} ({variant.text()})")
            running = of_class.program(setup, variant).start()
            started[-1].append(Contender(of_class.name, variant, running))


def take_turns(options, contenders):
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            contender.rounds.append(contender.running.burst(options.steps, options.warm_up).seconds)


def check_losses(contenders, reference):
    """A line for each that trains otherwise."""
    wrong = []
    for contender in contenders:
        contender.difference = parity.difference(reference, contender.running.first_losses)
        if contender.difference > parity.tolerance(contender.variant):
            wrong.append(f"{contender.name}: its losses differ by {contender.difference:.1e}")
    return wrong


def communications(options, setup, groups):
    found = []
    bursts = (options.steps, options.warm_up, (options.rounds + 1) // 2)
    for ours, *peers in groups:
        if ours.variant.ranks > 1:
            found.append(communication.of_effuse(ours.name, setup, ours.variant, *bursts))
            found += [communication.of_ddp(peer.name, peer.running, *bursts) for peer in peers]
    return found


def measure(options, setup, groups, trials, reference):
    """The report of running programs, and what is wrong."""
    contenders = [contender for group in groups for contender in group]
    take_turns(options, contenders)
    wrong = check_losses(contenders, reference)
    pairs = [(ours, theirs, ratios.ratio(ours.rounds, theirs.rounds)) for ours, *peers in groups for theirs in peers]
    if not options.quick:
        wrong += [f"{ours.name} is slower than {theirs.name}" for ours, theirs, (_, lower, _) in pairs
                  if lower < report.FLOOR]
    text = [f"## {setup.name}: batches of {setup.batch_size}\n"]
    text += [report.comparisons(pairs)] if pairs else []
    text += [report.rates(contenders, setup.batch_size)]
    say("communication and profile")
    hidden = communications(options, setup, groups)
    text += ["### Communication\n", report.hidden(hidden)] if hidden else []
    text += [account.write(setup, groups[0])] if options.account else []
    text += ["### What was tried\n", report.trials(trials)]
    return "\n".join(text), wrong


def compare(options, name):
    setup = start.prepare(name, options.work, options.bin, options.device, options.batch_size, options.data)
    groups = groups_of(options)
    reference = reference_losses(setup)
    trials = {of_class.name: trials_of(options, setup, of_class, reference) for group in groups for of_class in group}
    started = []
    try:
        launch(setup, groups, trials, started)
        return measure(options, setup, started, trials, reference)
    finally:
        for group in started:
            for contender in group:
                contender.running.close()


def main():
    options = arguments()
    text = [f"{machine.describe(options.device)}; load {machine.load():.1f} at the beginning. "
            f"{options.rounds} rounds of {options.steps} steps, from "
            f"`benchmarks/training/compare.py {shlex.join(sys.argv[1:])}`.\n"]
    problems = []
    for name in options.networks:
        try:
            of_network, wrong = compare(options, name)
        except ProgramFailed as failure:
            of_network, wrong = f"## {name}\n\nNot compared.\n", [f"{name}: a program failed:\n{failure}"]
        text.append(of_network)
        problems += wrong
    text += [f"FAILED: {problem}" for problem in problems]
    print("\n".join(text))
    if options.report:
        options.report.write_text("\n".join(text) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
