"""An Inception network of FID's shape with random weights, in place of the real file, which no test can fetch."""

import numpy as np
from safetensors.numpy import save_file

POOLS = {"Mixed_5b": 32, "Mixed_5c": 64, "Mixed_5d": 64}
INNER = {"Mixed_6b": 128, "Mixed_6c": 160, "Mixed_6d": 160, "Mixed_6e": 192}


def units():
    """Of every convolution: name, channels in and out, height and width of the kernel."""
    yield from [("Conv2d_1a_3x3", 3, 32, 3, 3), ("Conv2d_2a_3x3", 32, 32, 3, 3), ("Conv2d_2b_3x3", 32, 64, 3, 3),
                ("Conv2d_3b_1x1", 64, 80, 1, 1), ("Conv2d_4a_3x3", 80, 192, 3, 3)]
    width = 192
    for block, pool in POOLS.items():
        yield from [(f"{block}.branch1x1", width, 64, 1, 1), (f"{block}.branch5x5_1", width, 48, 1, 1),
                    (f"{block}.branch5x5_2", 48, 64, 5, 5), (f"{block}.branch3x3dbl_1", width, 64, 1, 1),
                    (f"{block}.branch3x3dbl_2", 64, 96, 3, 3), (f"{block}.branch3x3dbl_3", 96, 96, 3, 3),
                    (f"{block}.branch_pool", width, pool, 1, 1)]
        width = 224 + pool
    yield from [("Mixed_6a.branch3x3", 288, 384, 3, 3), ("Mixed_6a.branch3x3dbl_1", 288, 64, 1, 1),
                ("Mixed_6a.branch3x3dbl_2", 64, 96, 3, 3), ("Mixed_6a.branch3x3dbl_3", 96, 96, 3, 3)]
    for block, inner in INNER.items():
        yield from [(f"{block}.branch1x1", 768, 192, 1, 1), (f"{block}.branch7x7_1", 768, inner, 1, 1),
                    (f"{block}.branch7x7_2", inner, inner, 1, 7), (f"{block}.branch7x7_3", inner, 192, 7, 1),
                    (f"{block}.branch7x7dbl_1", 768, inner, 1, 1), (f"{block}.branch7x7dbl_2", inner, inner, 7, 1),
                    (f"{block}.branch7x7dbl_3", inner, inner, 1, 7), (f"{block}.branch7x7dbl_4", inner, inner, 7, 1),
                    (f"{block}.branch7x7dbl_5", inner, 192, 1, 7), (f"{block}.branch_pool", 768, 192, 1, 1)]
    yield from [("Mixed_7a.branch3x3_1", 768, 192, 1, 1), ("Mixed_7a.branch3x3_2", 192, 320, 3, 3),
                ("Mixed_7a.branch7x7x3_1", 768, 192, 1, 1), ("Mixed_7a.branch7x7x3_2", 192, 192, 1, 7),
                ("Mixed_7a.branch7x7x3_3", 192, 192, 7, 1), ("Mixed_7a.branch7x7x3_4", 192, 192, 3, 3)]
    for block, width in (("Mixed_7b", 1280), ("Mixed_7c", 2048)):
        yield from [(f"{block}.branch1x1", width, 320, 1, 1), (f"{block}.branch3x3_1", width, 384, 1, 1),
                    (f"{block}.branch3x3_2a", 384, 384, 1, 3), (f"{block}.branch3x3_2b", 384, 384, 3, 1),
                    (f"{block}.branch3x3dbl_1", width, 448, 1, 1), (f"{block}.branch3x3dbl_2", 448, 384, 3, 3),
                    (f"{block}.branch3x3dbl_3a", 384, 384, 1, 3), (f"{block}.branch3x3dbl_3b", 384, 384, 3, 1),
                    (f"{block}.branch_pool", width, 192, 1, 1)]


def make_weights(seed=0):
    """A state_dict: kernels as He et al. 2015 draw them, normalisations near the identity, so that values neither
    vanish nor explode on the way."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, channels_in, channels, height, width in units():
        scale = np.float32(np.sqrt(2 / (channels_in * height * width)))
        tensors[f"{name}.conv.weight"] = random.standard_normal(
            (channels, channels_in, height, width), np.float32) * scale
        tensors[f"{name}.bn.weight"] = random.uniform(0.8, 1.2, channels).astype(np.float32)
        tensors[f"{name}.bn.bias"] = random.normal(0, 0.1, channels).astype(np.float32)
        tensors[f"{name}.bn.running_mean"] = random.normal(0, 0.1, channels).astype(np.float32)
        tensors[f"{name}.bn.running_var"] = random.uniform(0.5, 1.5, channels).astype(np.float32)
    tensors["fc.weight"] = random.normal(0, 0.2, (1008, 2048)).astype(np.float32)
    tensors["fc.bias"] = random.normal(0, 0.1, 1008).astype(np.float32)
    return tensors


def write_safetensors(path, seed=0):
    save_file(make_weights(seed), path)
    return path
