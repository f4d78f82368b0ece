"""Ratios of rates, with confidence intervals, from rounds in which the programs took turns."""

import random
import statistics

RESAMPLES = 4000


def ratio(ours, theirs, level=0.95, seed=1):
    """How many times as many steps a second we make: (median, lower, upper). `ours` and `theirs`: a list of rounds,
    each a list of seconds per step. The interval is a bootstrap in two stages, over rounds, kept in pairs, since a
    machine's speed drifts, and over the steps within each."""
    draw = random.Random(seed)
    found = sorted(_ratio(*_resampled(ours, theirs, draw)) for _ in range(RESAMPLES))
    tail = (1 - level) / 2
    return _ratio(ours, theirs), found[int(tail * RESAMPLES)], found[int((1 - tail) * RESAMPLES) - 1]


def _ratio(ours, theirs):
    """The median over rounds of the ratio of the rounds' medians."""
    return statistics.median(statistics.median(b) / statistics.median(a) for a, b in zip(ours, theirs))


def _resampled(ours, theirs, draw):
    rounds = draw.choices(range(len(ours)), k=len(ours))
    return ([draw.choices(ours[r], k=len(ours[r])) for r in rounds],
            [draw.choices(theirs[r], k=len(theirs[r])) for r in rounds])


def step_seconds(rounds):
    """The median over all rounds."""
    return statistics.median(seconds for of_round in rounds for seconds in of_round)
