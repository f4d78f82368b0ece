"""What ranks, accumulation and buckets may change in a training run: nothing, or the order of sums."""

import pytest

from programs import assert_same_run, last_checkpoint, make_config, make_dataset
from runs import attempt, losses, records, tensors, train

STEPS = 12
BUCKET_MIB = 0.0005  # 131 numbers: nearly every parameter has a bucket of its own


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exactness")
    make_dataset(folder / "packed", classes=3)
    make_config(folder)
    return folder


def short(workplace, name, ranks, **settings):
    return train(workplace, name, ranks, {"run.steps": STEPS, "checkpoint.every_steps": 0,
                                          "preview.every_steps": 0, **settings})


@pytest.fixture(scope="module")
def plain(workplace):
    """{ranks: run folder}"""
    return {ranks: short(workplace, f"plain-{ranks}", ranks) for ranks in (1, 2, 3, 4)}


def test_the_number_of_ranks_changes_the_order_of_sums_alone(plain):
    expected = losses(plain[1])
    assert len(expected) == STEPS and expected[-1] < 0.9 * expected[0]
    for ranks in (2, 3, 4):
        assert losses(plain[ranks]) == pytest.approx(expected, rel=1e-4)
        norms = [line["grad_norm"] for line in records(plain[ranks]).values()]
        assert norms == pytest.approx([line["grad_norm"] for line in records(plain[1]).values()],
                                      rel=1e-3)


@pytest.mark.parametrize("ranks, division", [
    (1, {"parallel.accumulation_steps": 3}), (1, {"parallel.micro_batch": 1}),
    (2, {"parallel.accumulation_steps": 3}), (3, {"parallel.micro_batch": 1}),
    (4, {"parallel.accumulation_steps": 2})])
def test_passes_change_the_order_of_sums_alone(workplace, plain, ranks, division):
    """Of 3 ranks one has 2 images of 8, the others 3: its last pass falls away."""
    name = f"passes-{ranks}-{'-'.join(map(str, division.values()))}"
    folder = short(workplace, name, ranks, **division)
    assert losses(folder) == pytest.approx(losses(plain[1]), rel=1e-4)
    assert losses(folder) != losses(plain[ranks]), "the passes were made"


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_size_of_buckets_changes_nothing(workplace, plain, ranks):
    for mib in (0, BUCKET_MIB):
        assert_same_run(short(workplace, f"buckets-{ranks}-{mib}", ranks,
                              **{"parallel.bucket_mib": mib}), plain[ranks])


def test_the_size_of_buckets_changes_nothing_where_passes_add_up(workplace):
    settings = {"parallel.accumulation_steps": 2}
    one = short(workplace, "passes-in-one-bucket", 2, **settings)
    many = short(workplace, "passes-in-many-buckets", 2, **settings,
                 **{"parallel.bucket_mib": BUCKET_MIB})
    assert_same_run(one, many)


@pytest.mark.parametrize("ranks", [3, 4])
def test_the_same_run_again_is_the_same_to_the_last_bit(workplace, plain, ranks):
    assert_same_run(short(workplace, f"again-{ranks}", ranks), plain[ranks])


def test_gradients_that_travel_as_bf16_are_nearly_the_same(workplace, plain):
    settings = {"parallel.gradient_type": "bf16", "parallel.bucket_mib": BUCKET_MIB}
    folder = short(workplace, "bf16-wire", 2, **settings)
    assert losses(folder) == pytest.approx(losses(plain[2]), rel=1e-2)
    assert losses(folder) != losses(plain[2])
    assert_same_run(short(workplace, "bf16-wire-again", 2, **settings), folder)
    assert all(tensor.dtype.name == "float32"
               for tensor in tensors(last_checkpoint(folder), "model").values())


def test_passes_are_divided_in_one_way(workplace):
    settings = {"parallel.accumulation_steps": 2, "parallel.micro_batch": 2}
    folder, job = attempt(workplace, "both-ways", 2, settings)
    assert job.returncode == 2, job.stderr
    assert "parallel.accumulation_steps and parallel.micro_batch are both set" in job.stderr
    assert not folder.exists()
