"""Says aloud that a test was left out because what it compares with is not there."""

import sys

import pytest


def skip_without(missing, capsys, consequence):
    """`missing`: what importing the peer raised, or None."""
    if missing is None:
        return
    with capsys.disabled():
        print(f"\nNOT COMPARED LIVE: {missing}; {consequence}", file=sys.stderr)
    pytest.skip(str(missing))
