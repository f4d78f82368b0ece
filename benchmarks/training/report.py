"""The result of compare.py as Markdown."""

import math

import ratios

AIM, FLOOR = 1.3, 0.97


def milliseconds(seconds):
    return "–" if math.isnan(seconds) else f"{1e3 * seconds:.0f} ms" if seconds > 0.02 else f"{1e3 * seconds:.2f} ms"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def verdict(lower):
    if lower < FLOOR:
        return f"SLOWER than {FLOOR}"
    return f"at least {AIM}" if lower >= AIM else f"at least {FLOOR}"


def rates(contenders, batch_size):
    """A row for each program: how it was set, its step, its rate."""
    rows = []
    for contender in contenders:
        seconds = ratios.step_seconds(contender.rounds)
        rows.append([contender.name, contender.variant.text(), milliseconds(seconds),
                     f"{batch_size / seconds:.1f}", f"{contender.difference:.1e}"])
    return table(["program", "settings", "step", "images/s", "losses differ by"], rows)


def comparisons(pairs):
    """pairs: (ours, theirs, (ratio, lower, upper))."""
    rows = [[ours.name, theirs.name, f"{ratio:.2f}", f"{lower:.2f} – {upper:.2f}", verdict(lower)]
            for ours, theirs, (ratio, lower, upper) in pairs]
    return table(["Effuse", "against", "times as fast", "95 % interval", ""], rows)


def hidden(communications):
    rows = [[c.name, milliseconds(c.step_s), milliseconds(c.alone_s), milliseconds(c.exposed_s),
             milliseconds(c.total_s), f"{100 * c.hidden:.0f} %", milliseconds(c.waited_s)] for c in communications]
    return table(["", "step", "each rank alone", "exposed", "communication", "hidden", "waited, by its own account"],
                 rows)


def trials(tuned):
    """tuned: {class name: trials}."""
    rows = [[name, trial.variant.text(), trial.text()] for name, of_class in tuned.items() for trial in of_class]
    return table(["program", "settings", "step"], rows)
