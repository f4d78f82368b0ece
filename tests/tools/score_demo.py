"""Says whether what scripts/demo generated looks like clothes: generates images with the demo's model and asks
a classifier that was trained on the real ones (score_classes) what they show.

    .deps/python/bin/python tests/tools/score_demo.py [--demo FOLDER] [--number N] [--train-images N]
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = SOURCE / "build/release/bin"


def run(program, *arguments):
    subprocess.run([BIN / program, *map(str, arguments)], check=True)


def lay_out_by_class(samples, folder):
    """Links a set of generated images into a subfolder per class, as effuse-pack wants them."""
    record = json.loads((samples / "samples.json").read_text())
    shutil.rmtree(folder, ignore_errors=True)
    for i, image in enumerate(sorted(samples.glob("images/*/*.png"))):
        label = record["classes"][i % len(record["classes"])]
        place = folder / record["class_names"][label]
        place.mkdir(parents=True, exist_ok=True)
        os.link(image, place / image.name)


def pack(images, output):
    run("effuse-pack", "--input", images, "--output", output, "--image-size", 32, "--channels", 1,
        "--fit", "pad", "--fresh")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=pathlib.Path, default=SOURCE / "demo")
    parser.add_argument("--number", type=int, default=200, help="images to generate")
    parser.add_argument("--steps", type=int, default=25, help="denoising steps")
    parser.add_argument("--train-images", type=int, default=60000, help="real images the classifier sees")
    options = parser.parse_args()
    scored = options.demo / "scored"
    shutil.rmtree(scored, ignore_errors=True)
    run("effuse-sample", "--weights", options.demo / "runs/fashion-mnist", "--output", scored / "samples",
        "--number", options.number, "--steps", options.steps, "--seed", 2, "--compute", "bf16")
    lay_out_by_class(scored / "samples", scored / "images")
    pack(scored / "images", scored / "generated")
    pack(options.demo / "images/test", scored / "test")
    run("score_classes", options.demo / "packed", scored / "test", scored / "generated", options.train_images)


if __name__ == "__main__":
    main()
