"""The starting point that both programs share: a data set, and what training_start makes of a configuration."""

import dataclasses
import pathlib
import shutil
import subprocess
import tomllib

import machine

NETWORKS = pathlib.Path(__file__).parent / "networks"
IMAGES, CLASSES = 640, 10
BATCHES, DRAWN = 64, 8  # of a starting point


@dataclasses.dataclass(frozen=True)
class Setup:
    """Of one network on one machine."""

    name: str
    config: pathlib.Path
    data: pathlib.Path
    start: pathlib.Path
    work: pathlib.Path  # where everything of this benchmark goes
    bin: pathlib.Path  # of Effuse's programs
    device: str
    batch_size: int

    def training(self):
        """Arguments of effuse-train and its like."""
        return ["--config", self.config, "--data", self.data, "--batch-size", self.batch_size,
                "--device", self.device]


def make_images(folder, size, channels):
    """Clouds of random colours, a folder for each class."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(5)
    for i in range(IMAGES):
        coarse = random.integers(0, 256, (4, 4, channels), np.uint8)
        image = Image.fromarray(coarse.squeeze()).resize((size, size), Image.Resampling.BICUBIC)
        path = folder / f"class-{i % CLASSES}" / f"{i:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)


def run(*command):
    if not pathlib.Path(command[0]).exists():
        raise SystemExit(f"{command[0]} is missing: build the preset release, or name another folder by --bin")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                          env=machine.environment(1))
    if done.returncode != 0:
        raise SystemExit(f"{pathlib.Path(command[0]).name} failed:\n{done.stderr}")


def packed_images(work, bin_folder, model):
    size, channels = model["sample_size"], model["in_channels"]
    packed = work / f"images-{size}x{channels}"
    if not (packed / "dataset.json").exists():
        images = work / "images"
        shutil.rmtree(images, ignore_errors=True)
        shutil.rmtree(packed, ignore_errors=True)
        make_images(images, size, channels)
        run(bin_folder / "effuse-pack", "--input", images, "--output", packed, "--image-size", size,
            "--channels", channels)
        shutil.rmtree(images)
    return packed


def prepare(name, work, bin_folder, device, batch_size=0, data=None):
    """Makes what is missing. `name`: of a file of networks/, or a path. `batch_size` 0: that of the file."""
    config = pathlib.Path(name) if name.endswith(".toml") else NETWORKS / f"{name}.toml"
    name = config.stem
    settings = tomllib.loads(config.read_text())
    work.mkdir(parents=True, exist_ok=True)
    data = data or packed_images(work, bin_folder, settings["model"])
    setup = Setup(name, config, data, work / f"start-{name}", work, bin_folder, device,
                  batch_size or settings["run"]["batch_size"])
    shutil.rmtree(setup.start, ignore_errors=True)
    run(bin_folder / "training_start", "--config", config, "--data", data, "--batch-size", setup.batch_size,
        "--output", setup.start, "--batches", BATCHES, "--drawn", DRAWN)
    return setup
