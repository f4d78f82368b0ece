"""chaos.py, short enough for every day."""

from chaos import BLOWS, run_chaos

KILLS = 10
STEPS = 120


def test_ten_kills_change_nothing(tmp_path):
    totals = run_chaos(tmp_path, kills=KILLS, seed=3, steps=STEPS)
    print(totals.report())
    assert not totals.problems
    assert totals.kills == KILLS and totals.attempts > KILLS
    for blow, count in BLOWS.items():
        assert sum(times for name, times in totals.blows.items() if name.startswith(blow)) == count
    assert totals.steps_made >= totals.steps_done == totals.runs * STEPS
