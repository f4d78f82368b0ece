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
DESK, PHONE = (1180, 1130), (390, 1060)  # what is shown of the page, in pixels
GAP, COLORS = 24, 160


def shot(browser, page_file, size, scheme, extent):
    with opened(browser, page_file, size, scheme) as page:
        page.set_viewport_size({"width": extent[0], "height": extent[1]})
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
    picture = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5), Image.Resampling.LANCZOS)
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(arguments.output, optimize=True)
    print(arguments.output, f"{arguments.output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
