"""Lays out Debian's dataset-fashion-mnist as a person would have images: a folder of PNGs per class.

    fashion_mnist_folders.py OUTPUT [--per-class N]

writes OUTPUT/train/<class>/<number>.png (60,000) and OUTPUT/test/<class>/<number>.png (10,000). A part
that is already whole is left alone.
"""

import argparse
import gzip
import io
import pathlib
import struct

from PIL import Image

SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")
CLASSES = ["t-shirt-top", "trouser", "pullover", "dress", "coat",
           "sandal", "shirt", "sneaker", "bag", "ankle-boot"]


def read_idx(path):
    """The payload of an IDX file of unsigned bytes, and its dimensions."""
    data = gzip.decompress(path.read_bytes())
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4:4 + 4 * rank])
    return memoryview(data)[4 + 4 * rank:], shape


def lay_out(prefix, folder, per_class):
    images, (count, height, width) = read_idx(SOURCE / f"{prefix}-images-idx3-ubyte.gz")
    labels, _ = read_idx(SOURCE / f"{prefix}-labels-idx1-ubyte.gz")
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = [0] * len(CLASSES)
    for number in range(count):
        label = labels[number]
        if per_class and written[label] >= per_class:
            continue
        written[label] += 1
        pixels = bytes(images[number * height * width:(number + 1) * height * width])
        encoded = io.BytesIO()
        Image.frombytes("L", (width, height), pixels).save(encoded, "PNG", compress_level=1)
        (folder / CLASSES[label] / f"{number:05d}.png").write_bytes(encoded.getvalue())
    return sum(written)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--per-class", type=int, default=0, help="only the first N of each class")
    arguments = parser.parse_args()
    if not SOURCE.is_dir():
        raise SystemExit(f"{SOURCE} is missing: install Debian's dataset-fashion-mnist, "
                         "or give scripts/demo --images FOLDER")
    for prefix, part in (("train", "train"), ("t10k", "test")):
        done = arguments.output / f".{part}-{arguments.per_class}-done"
        if done.exists():
            continue
        count = lay_out(prefix, arguments.output / part, arguments.per_class)
        done.touch()
        print(f"{part}: {count:,} images in {len(CLASSES)} classes")


if __name__ == "__main__":
    main()
