"""Runs a pipeline on a Slurm cluster of three nodes, as a user would, and prints what was typed and answered: the transcript
in docs/cluster.md. From the top of Effuse's folder, as root, with the programs built:

    .deps/python/bin/python tests/slurm/transcript.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("EFFUSE_SOURCE", str(SOURCE))
os.environ.setdefault("EFFUSE_BIN", str(SOURCE / "build/release/bin"))

from cluster import Cluster  # noqa: E402
from workplace import NETWORK  # noqa: E402

CONFIG = """\
[pack]
input = "images/train"
output = "packed"
image_size = 32
channels = 1
fit = "pad"

[run]
name = "clothes"
steps = 200
batch_size = 16
log_every_steps = 10

[data]
folder = "packed"

[model]
block_out_channels = [16, 32]
down_block_types = ["DownBlock2D", "AttnDownBlock2D"]
up_block_types = ["AttnUpBlock2D", "UpBlock2D"]
layers_per_block = 1
norm_num_groups = 8

[precision]
compute = "fp32"

[preview]
every_steps = 0

[sampling]
weights = "runs/clothes"
output = "samples"
number = 100
steps = 10

[evaluation]
images = ["samples"]
reference = ["packed"]
metrics = ["fid", "precision_recall"]
network = "{network}"
output = "score.json"
"""

SITE = {"EFFUSE_SBATCH": "--gpus-per-node=0 --cpus-per-task=1 --ntasks-per-node=2 --time=10",
        "EFFUSE_SBATCH_TRAIN": "--nodes=2", "EFFUSE_SBATCH_PACK": "--array=1-2 --ntasks-per-node=1"}


class Terminal:
    def __init__(self, cluster, folder):
        self._cluster, self._folder = cluster, folder
        path = f"{SOURCE / 'slurm'}:{os.environ['PATH']}"
        self._environment = cluster.environment(**SITE, EFFUSE_BIN=os.environ["EFFUSE_BIN"], PATH=path)

    def type(self, line):
        print(f"$ {line}")
        done = self._cluster.run("bash", "-c", line, check=False, cwd=self._folder, env=self._environment)
        print((done.stdout + done.stderr).replace(f"{self._folder}/", "").replace(str(SOURCE), "…"), end="\n", flush=True)

    def wait_for_all_jobs(self):
        self._cluster.wait("all jobs have ended", lambda: not self._cluster.run("squeue", "--noheader"), timeout_s=300)


def lay_out(folder):
    """600 real images in ten classes, and the configuration."""
    subprocess.run([sys.executable, SOURCE / "scripts/fashion_mnist_folders.py", folder / "images", "--per-class", "60"],
                   check=True, capture_output=True)
    network = folder / "features.pt"
    network.write_bytes(NETWORK.read_bytes())
    (folder / "clothes.toml").write_text(CONFIG.format(network=network.name))


def main():
    with Cluster() as cluster, tempfile.TemporaryDirectory(prefix="effuse-") as folder:
        lay_out(pathlib.Path(folder))
        terminal = Terminal(cluster, folder)
        terminal.type("sinfo")
        terminal.type("env | grep EFFUSE_SBATCH | sort")
        terminal.type("effuse-submit pipeline clothes.toml")
        log = pathlib.Path(folder) / "runs/clothes/metrics/train.jsonl"
        cluster.wait("it trains", lambda: log.exists() and log.read_bytes().count(b"\n") > 5)
        terminal.type("effuse-submit status")
        terminal.wait_for_all_jobs()
        terminal.type("effuse-submit status")
        terminal.type("effuse-submit logs clothes --kind train")
        terminal.type("effuse-submit pipeline clothes.toml")
        terminal.type("ls samples runs/clothes/slurm")


if __name__ == "__main__":
    main()
