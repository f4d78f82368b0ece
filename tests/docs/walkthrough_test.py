"""The documentation's commands of our programs and its Python examples, run page by page in one folder that
holds what the pages speak of. Run as written, with words added at the end that make them small."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / folder) for folder in ("support", "jobs")]

import inception_file
from iddm_archive import write_iddm_file
from pages import (BIN, FENCE, PAGES, SHELL, SHELL_LANGUAGES, SOURCE, arguments_of, blocks, commands_in,
                   name_of)

SMALL_MODEL = ["--set", "model.block_out_channels=[4, 4, 4, 4]", "--set", "model.norm_num_groups=2",
               "--set", "model.attention_head_dim=4", "--set", "model.layers_per_block=1",
               "--set", "preview.steps=1", "--set", "preview.per_class=1", "--batch-size", "4",
               "--device", "cpu", "--set", "parallel.threads=1", "--set", "metrics.address='127.0.0.1'"]
SMALL = {
    "effuse-pack": [],
    "effuse-inspect": [],
    "effuse-train": [*SMALL_MODEL, "--steps", "2"],
    "effuse-sample": ["--device", "cpu", "--steps", "2", "--number", "12", "--tile", "4",
                      "--set", "parallel.threads=1", "--set", "evaluation.allow_unknown_weights=true"],
    "effuse-evaluate": ["--device", "cpu", "--tile", "4", "--set", "parallel.threads=1", "--allow-unknown-weights",
                        "--kid-subset-size", "8"],
    "effuse-convert": [],
    "effuse-report": [],
    "effuse-preflight": ["--device", "cpu", "--set", "preflight.disk_mib=1", "--set", "preflight.largest_mib=1",
                         "--set", "preflight.min_free_gib=0", "--set", "parallel.threads=1"],
}
README = SOURCE / "README.md"
OTHER_PAGES = [page for page in PAGES if page != README and (blocks(page, "python") or any(
    where == name_of(page) and arguments_of(command) for where, command in SHELL))]


def run(folder, command):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}",
                   "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=200, check=False)
    assert done.returncode == 0, " ".join(map(str, command)) + "\n" + done.stdout + done.stderr
    return done


def make_photos(folder, size, mode):
    random = np.random.default_rng(5)
    shape = size if mode == "L" else (*size, 3)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for i in range(8):
            Image.fromarray(random.integers(0, 256, shape, np.uint8), mode).save(folder / name / f"{i}.png")


def write_statistics(path):
    features = np.random.default_rng(7).normal(size=(20, 3))
    np.savez(path, mu=features.mean(0), sigma=np.cov(features, rowvar=False), count=np.int64(20),
             sum=features.sum(0), outer_sum=features.T @ features, network="a network", network_sha256="0" * 64,
             convention="", images="")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with configs/, photos/, Fashion-MNIST packed and trained on, and a file of IDDM, all small."""
    folder = tmp_path_factory.mktemp("walkthrough")
    (folder / "configs").symlink_to(SOURCE / "configs")
    make_photos(folder / "photos", (70, 90), "RGB")
    make_photos(folder / "clothes", (28, 28), "L")
    run(folder, ["effuse-pack", "--input", "clothes", "--output", "fashion-mnist", "--image-size", "32",
                 "--channels", "1", "--fit", "pad"])
    write_iddm_file(folder / "ckpt_last.pt")
    inception_file.write_safetensors(folder / "pt_inception-2015-12-05-6726825d.pth")  # random weights
    for name in ("statistics", "part-1", "part-2"):
        write_statistics(folder / f"{name}.npz")
    (folder / "demo").mkdir()
    (folder / "demo/packed").symlink_to(folder / "fashion-mnist")
    run(folder, ["effuse-train", "--config", "configs/train/fashion-mnist.toml", "--data", "fashion-mnist",
                 *SMALL_MODEL, "--set", "model.block_out_channels=[4, 4, 4]", "--steps", "1"])
    return folder


def shrunk(command, program):
    """As written, variables at their defaults, with the added words; a network keeps its number of levels, labels and
    ranges their number."""
    command = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in command]
    small = list(SMALL[program])
    if any(word.endswith("fashion-mnist.toml") for word in command):
        small[small.index("model.block_out_channels=[4, 4, 4, 4]")] = "model.block_out_channels=[4, 4, 4]"
    if "--labels" in command or "--seeds" in command:
        at = small.index("--number")
        del small[at:at + 2]
    return [*command, *small]


def follow(page, place):
    """Shell and Python in the order of the page."""
    for language, text in FENCE.findall(page.read_text()):
        if language == "python":
            run(place, [sys.executable, "-c", text])
        elif language in SHELL_LANGUAGES:
            for command in commands_in(text):
                if ours := arguments_of(command):
                    run(place, shrunk(command, ours[0]))


def test_the_readme_leads_to_images(place):
    follow(README, place)
    assert (place / "sheet.png").exists()
    assert len(list((place / "samples/images").rglob("*.png"))) == 12
    with Image.open(place / "samples/grid.png") as grid:
        assert grid.mode == "RGB" and grid.width > 2 * 64


@pytest.mark.parametrize("page", OTHER_PAGES, ids=name_of)
def test_a_page_does_what_it_says(page, place):
    follow(page, place)
