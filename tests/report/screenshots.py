#!/usr/bin/env python3
"""Makes docs/images/report.png: the report of a run on a desk and on a phone, light and dark.

    .deps/python/bin/python tests/report/screenshots.py [RUN]

RUN is by default the run of scripts/demo.
"""

import argparse
import io
import os
import pathlib
import subprocess
import tempfile

from PIL import Image

from browser import chromium, opened

SOURCE = pathlib.Path(__file__).parents[2]
DESK, PHONE = (1180, 1230), (390, 1160)  # what is shown of the page, in pixels
GAP, WIDTH = 24, 1100


def shot(browser, page_file, size, scheme, extent):
    with opened(browser, page_file, size, scheme, viewport={"width": extent[0], "height": extent[1]}) as page:
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=pathlib.Path, default=SOURCE / "demo/runs/fashion-mnist")
    parser.add_argument("--output", type=pathlib.Path, default=SOURCE / "docs/images/report.png")
    arguments = parser.parse_args()
    program = pathlib.Path(os.environ.get("EFFUSE_BIN", SOURCE / "build/release/bin")) / "effuse-report"
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page_file = pathlib.Path(folder) / "report.html"
        subprocess.run([program, arguments.run, "--output", page_file], check=True)
        desk = shot(browser, page_file, "desktop", "light", DESK)
        phone = shot(browser, page_file, "phone", "dark", PHONE)
    picture = Image.new("RGB", (desk.width + GAP + phone.width, desk.height), "white")
    picture.paste(desk, (0, 0))
    picture.paste(phone, (desk.width + GAP, (desk.height - phone.height) // 2))
    picture = picture.resize((WIDTH, picture.height * WIDTH // picture.width), Image.Resampling.LANCZOS)
    # By extent of colour, not by area: the few pixels of a mark keep theirs.
    picture.quantize(200, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(arguments.output, optimize=True)
    print(arguments.output, f"{arguments.output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
