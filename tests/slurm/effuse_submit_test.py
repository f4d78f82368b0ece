"""Parts of slurm/effuse-submit, where it takes no cluster to see what they do."""

import json
import os
import sys

import pytest

from workplace import SOURCE

sys.path.insert(0, str(SOURCE / "slurm"))
from submit import records  # noqa: E402
from submit.errors import Refused  # noqa: E402
from submit.progress import Progress, of_logs  # noqa: E402
from submit.sbatch_options import array_of  # noqa: E402
from submit.slurm import Element  # noqa: E402
from submit.status import rows_of  # noqa: E402

def test_rate_and_time_left_are_of_the_attempt(tmp_path):
    """With what passes between steps, but not between attempts."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "outcome.json").write_text(json.dumps({"total_steps": 100}))
    (tmp_path / "environment.json").write_text("{}")
    os.utime(tmp_path / "environment.json", (5000, 5000))
    lines = [{"step": step, "images": 8 * step, "loss": 1.0, "time_s": time_s, "forward_s": 0.1}
             for step, time_s in ((10, 1000.0), (20, 1010.0), (30, 5010.0), (40, 5014.0), (50, 5018.0))]
    (tmp_path / "metrics/train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    progress = Progress(tmp_path)
    assert (progress.images_per_s(), progress.left_s()) == (20.0, 20.0)


def test_the_newest_checkpoint_has_the_greatest_step(tmp_path):
    for step in ("00000009", "99999999", "100000000"):
        (tmp_path / "checkpoints" / f"step-{step}").mkdir(parents=True)
    assert Progress(tmp_path).checkpoint()[0] == 10**8


def test_progress_is_read_from_the_logs_of_all_elements(tmp_path):
    (tmp_path / "1.out").write_text(
        "2026-01-01T00:00:00 slurm: job 7_1 on n1, ranks: 1, restarts: 0\nsample  9/2,000 images  0% | 3 h 0 min left\n"
        "2026-01-01T01:00:00 slurm: job 7_1 on n1, ranks: 1, restarts: 1\nsampling\n"
        "sample  1,000/2,000 images  50% | 12.5 images/s | 1 min 20 s left\nsample  1,800/2,000 images  90% | 12 s left\n")
    (tmp_path / "2.out").write_text("sample  88/2,000 images  4%\n")
    (tmp_path / "3.out").write_text("sampling\n")
    assert of_logs(sorted(tmp_path.glob("*.out"))) == (1888, 4000, "images", 12)
    assert of_logs([tmp_path / "3.out"]) is None


def record(run_folder, number, **values):
    folder = run_folder / "slurm" / number
    folder.mkdir(parents=True)
    content = {"job": number, "kind": "sample", "log": f"{folder}.out", "result": f"{run_folder}/{number}", **values}
    (folder / "job.json").write_text(json.dumps(content))


def test_status_has_a_row_for_each_job_at_work_and_the_last_of_each_result(tmp_path):
    for job, result in (("1", "a"), ("2", "a"), ("3", "b"), ("4", "b"), ("5", "c")):
        record(tmp_path, job, result=result)
    (tmp_path / "slurm/3.out").write_text("sample  88/2,000 images  4% | 12 s left\n")
    known = {"3": [Element("RUNNING", "None", 0)], "4": [Element("FAILED", "None", 1)]}
    rows = [tuple(filter(None, row[1:])) for row in rows_of(tmp_path, known)]
    assert rows == [("2", "sample", "gone, not done"), ("3", "sample", "running", "0", "88 of 2,000 images", "12 s"),
                    ("4", "sample", "failed", "1"), ("5", "sample", "gone, not done")]


def test_an_array_without_all_parts_is_not_shown_as_whole(tmp_path):
    record(tmp_path, "1", kind="pack")
    known = {"1": [Element("COMPLETED", "None", 0)] * 2}
    assert [row[3] for row in rows_of(tmp_path, known)] == ["2 completed, parts are missing"]


@pytest.mark.parametrize("damage", [{"job": "9a"}, {"job": 9}, {"kind": "zzz"}, {"log": None}])
def test_damaged_records_are_passed_over(tmp_path, capsys, damage):
    record(tmp_path, "1")
    record(tmp_path, "2", **damage)
    (tmp_path / "slurm/3/job.json").mkdir(parents=True)
    (tmp_path / "slurm/4").mkdir()
    (tmp_path / "slurm/4/job.json").write_text("{")
    (tmp_path / "outcome.json").write_text("[]")
    assert [found["job"] for found in records.read(tmp_path)] == ["1"]
    assert capsys.readouterr().err.count("passed over") == 3
    assert [row[3] for row in rows_of(tmp_path, {})] == ["gone, not done"]


@pytest.mark.parametrize("words, parts", [
    (["--array=1-8"], ""), (["-a1-3%2"], ""), (["--array", "2,1,3"], ""), (["--nodes=2", "-n", "4"], ""),
    (["--array=3,5"], "8"), (["--array=nonsense"], "")])
def test_arrays_of_which_the_parts_are_known(words, parts):
    array_of(words, parts)


@pytest.mark.parametrize("words, parts, said", [
    (["--array=1,3"], "", "set EFFUSE_PARTS=N"), (["-a", "0-3"], "", "set EFFUSE_PARTS=N"), (["--array=1-5:2"], "", "not 1-N"),
    (["--array=4"], "3", "more than the 3 parts"), (["--array=1-3"], "x", "EFFUSE_PARTS is x"),
    (["--output=x.out"], "", "Leave out --output"), (["-ex.out"], "", "--error"), (["-D", "/tmp"], "", "Leave out --chdir"),
    (["--chdir=/tmp"], "", "Leave out --chdir")])
def test_options_with_which_a_job_would_fail(words, parts, said):
    with pytest.raises(Refused, match=said):
        array_of(words, parts)
