"""What ends effuse-submit with a message instead of a result."""


class Refused(Exception):
    """Bad usage, or something that Slurm or a program of Effuse refuses. A sentence for the person who can act."""

    exit_code = 2


class Failed(Refused):
    """Slurm or a program did not do what it should."""

    exit_code = 1
