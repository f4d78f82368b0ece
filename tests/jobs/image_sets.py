"""Sets of images with something in them, for what scores images."""

import numpy as np
from PIL import Image


def waves(seed, count, size=16, noise=0.0):
    """uint8 [count, size, size, 3]: waves in each colour; `noise` is a deviation in grey levels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    images = []
    for _ in range(count):
        image = 128 + 100 * np.sin(random.uniform(1, 9) * x[..., None] * random.uniform(0, 2, 3)
                                   + random.uniform(1, 9) * y[..., None] + random.uniform(0, 6, 3))
        images.append(image + random.normal(0, noise, image.shape) if noise else image)
    return np.clip(np.stack(images), 0, 255).astype(np.uint8)


def write_folder(folder, images):
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03d}.png")
    return folder
