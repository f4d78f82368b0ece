"""sample_chaos.py, short enough for every day."""

import pytest

from sample_chaos import keep_launchers_in, make_model, run_kills


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    place = tmp_path_factory.mktemp("model")
    keep_launchers_in(place)
    return make_model(place)


@pytest.mark.parametrize("kind, kills", [("png", 5), ("npz", 3)])
def test_kills_change_nothing(model, tmp_path, kind, kills):
    struck, differing = run_kills(tmp_path, model, kills, 160, kind, seed=5)
    assert struck == kills and not differing
