"""Ctrl-C and TERM, which have to wait while a job is submitted and not recorded yet."""

import contextlib
import signal

from submit.errors import Refused


class Interrupted(Refused):
    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number


@contextlib.contextmanager
def deferred():
    """Yields the list of the signals that have come meanwhile, which otherwise do nothing."""
    caught = []
    before = {number: signal.signal(number, lambda received, _: caught.append(received))
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
