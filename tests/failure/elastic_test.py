"""The number of ranks changes, and the experiment does not: what training sees and draws is the same to the last bit
(metrics.draws), losses agree to float tolerance."""

import json
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "jobs"))
from programs import IMAGES, log_lines, make_config, make_dataset, overrides, run  # noqa: E402

STEPS = 20
SAVED_AT = 10
BATCH = 8  # neither 3 nor 6 ranks divide it
EPOCHS = STEPS * BATCH // IMAGES
TOLERANCE = 1e-4  # relative, of losses: sums over ranks come in another order


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elastic")
    make_dataset(folder / "packed")
    make_config(folder)
    return folder


def train(workplace, name, *arguments, ranks, **settings):
    result = run("effuse-train", "--config", workplace / "tiny.toml", "--name", name, "--steps", STEPS,
                 *overrides({"metrics.draws": "true", "preview.every_steps": 0, **settings}), *arguments,
                 ranks=ranks)
    assert result.returncode == 0, result.stderr
    return workplace / "runs" / name


@pytest.fixture(scope="module")
def four(workplace):
    """A run of four ranks that nothing happened to."""
    return train(workplace, "four", ranks=4)


@pytest.fixture(scope="module")
def half(workplace):
    """Its first half; to be copied, not changed."""
    return train(workplace, "half", "--steps", SAVED_AT, ranks=4)


def files_of_draws(folder):
    return sorted((folder / "metrics/draws").iterdir())


def draws(folder):
    """Of all ranks, by position."""
    lines = [json.loads(line) for file in files_of_draws(folder) for line in file.read_text().splitlines()]
    assert all(list(line) == ["step", "position", "image", "t", "noise_crc32c"] for line in lines)
    return sorted(tuple(line.values()) for line in lines)


def losses(folder):
    return [line[3] for line in log_lines(folder)]


def assert_same_experiment(folder, four):
    assert draws(folder) == draws(four)
    assert losses(folder) == pytest.approx(losses(four), rel=TOLERANCE)
    assert [line[:3] for line in log_lines(folder)] == [line[:3] for line in log_lines(four)]


def test_every_image_is_seen_once_an_epoch(four):
    seen = draws(four)
    assert EPOCHS * IMAGES == STEPS * BATCH == len(seen)
    assert [position for _, position, *_ in seen] == list(range(len(seen)))
    assert [step for step, *_ in seen] == [1 + position // BATCH for position in range(len(seen))]
    epochs = [[image for _, _, image, *_ in seen[first:first + IMAGES]]
              for first in range(0, len(seen), IMAGES)]
    assert all(sorted(epoch) == list(range(IMAGES)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == EPOCHS, "each epoch has its own order"
    assert len({(t, noise) for *_, t, noise in seen}) == len(seen), "nothing is drawn twice"


@pytest.mark.parametrize("ranks, micro_batch", [(0, 0), (1, 3), (2, 1), (3, 0), (4, 1)])
def test_any_number_of_ranks_and_passes_sees_and_draws_the_same(workplace, four, ranks, micro_batch):
    folder = train(workplace, f"whole-{ranks}-{micro_batch}", ranks=ranks,
                   **{"parallel.micro_batch": micro_batch})
    assert len(files_of_draws(folder)) == max(ranks, 1)
    assert_same_experiment(folder, four)


@pytest.mark.parametrize("ranks", [1, 2, 3, 6])
def test_a_checkpoint_of_four_ranks_continues_on_others(workplace, four, half, ranks):
    folder = half.parent / f"continued-{ranks}"
    shutil.copytree(half, folder, symlinks=True)
    train(workplace, folder.name, ranks=ranks)
    assert len(files_of_draws(folder)) == max(ranks, 4)
    assert_same_experiment(folder, four)


def test_ranks_that_are_no_more_leave_no_lines_of_a_course_given_up(workplace, four):
    folder = train(workplace, "back", ranks=4)
    train(workplace, "back", "--resume-from", STEPS - 5, ranks=2)
    assert len(files_of_draws(folder)) == 4
    assert_same_experiment(folder, four)
    train(workplace, "back", "--resume-from", STEPS - 5, ranks=1, **{"metrics.draws": "false"})
    assert len(draws(folder)) == (STEPS - 5) * BATCH
