#!/usr/bin/env python3
"""Makes the image files of this folder and what PIL sees in them (X.raw: height, width, channels as
little-endian uint32, then the pixels). Run again only where a case is added: python3 make.py"""

import io
import pathlib
import struct

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent


def picture(height, width):
    """Smooth, with a different course in each channel, and no symmetry."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = 127 + 100 * np.sin(x / 5.0) * np.cos(y / 7.0)
    return Image.fromarray(np.stack([red, green, blue], -1).round().astype(np.uint8))


def expect(name, image):
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    (HERE / f"{name}.raw").write_bytes(
        struct.pack("<3I", height, width, channels) + pixels.tobytes())


def over_white(image):
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def jpegs():
    image = picture(24, 40)
    image.save(HERE / "plain.jpg", quality=95, subsampling=0)
    expect("plain", Image.open(HERE / "plain.jpg"))
    image.save(HERE / "progressive.jpg", quality=90, progressive=True)
    expect("progressive", Image.open(HERE / "progressive.jpg"))
    image.convert("L").save(HERE / "grey.jpg", quality=95)
    expect("grey", Image.open(HERE / "grey.jpg"))
    image.convert("CMYK").save(HERE / "cmyk.jpg", quality=95)
    expect("cmyk", Image.open(HERE / "cmyk.jpg").convert("RGB"))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter clockwise
    image.save(HERE / "turned.jpg", quality=95, subsampling=0, exif=exif)
    expect("turned", Image.open(HERE / "turned.jpg").transpose(Image.Transpose.ROTATE_270))


def pngs():
    image = picture(9, 13)
    image.save(HERE / "rgb.png")
    expect("rgb", image)
    alpha = image.convert("RGBA")
    alpha.putalpha(Image.fromarray((np.arange(9 * 13).reshape(9, 13) * 2).astype(np.uint8)))
    alpha.save(HERE / "alpha.png")
    expect("alpha", over_white(alpha))
    palette = image.quantize(16)
    palette.save(HERE / "palette.png")
    expect("palette", palette.convert("RGB"))
    palette.save(HERE / "palette_transparent.png", transparency=3)
    expect("palette_transparent", over_white(Image.open(HERE / "palette_transparent.png")))
    deep = (np.arange(9 * 13).reshape(9, 13) * 560).astype(np.uint16)
    Image.fromarray(deep).save(HERE / "grey16.png")
    expect("grey16", Image.fromarray((deep / 257.0).round().astype(np.uint8)))
    bits = Image.fromarray(np.indices((9, 13)).sum(0) % 2 == 0)
    bits.save(HERE / "bits.png")
    expect("bits", bits.convert("L"))


def resizes():
    image = picture(37, 53)
    expect("large", image)
    for height, width in ((16, 16), (10, 53), (60, 80)):
        expect(f"large_{height}x{width}", image.resize((width, height), Image.Resampling.BICUBIC))


jpegs()
pngs()
resizes()
