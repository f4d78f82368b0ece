#!/usr/bin/env python3
"""Writes feature_metrics.json: KID, Inception Score, precision and recall of torch-fidelity on small features;
density and coverage as Naeem et al. define them, in numpy; PSNR, and SSIM as scikit-image computes it, from its
own parts (scipy.ndimage). Features and images follow hashed(), which feature_sets.hpp repeats in C++."""

import json
import math
import pathlib

import numpy
import torch
from scipy.ndimage import gaussian_filter
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

KERNEL = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
LUMA = numpy.array([65.481, 128.553, 24.966])


def hashed(count, seed):
    """16-bit integers, an exact function of their place."""
    h = (numpy.arange(1, count + 1, dtype=numpy.uint64) * 2654435761 + seed * 40503) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 2246822519) & 0xFFFFFFFF
    h ^= h >> 13
    h = (h * 3266489917) & 0xFFFFFFFF
    return (h >> 16).astype(numpy.int64)


def features(n, d, seed, scale=1.0, shift=0.0):
    return (hashed(n * d, seed).reshape(n, d) / 65536.0 * scale + shift).astype(numpy.float32)


def images(n, h, w, c, seed, noise):
    """A ramp with noise of 0 to `noise` - 1."""
    i, y, x, k = numpy.indices((n, h, w, c))
    ramp = (3 * x + 5 * y + 40 * k + 20 * i) % 200
    return (ramp + hashed(n * h * w * c, seed).reshape(n, h, w, c) % noise).astype(numpy.uint8)


def kid(real, made):
    found = kid_features_to_metric(torch.from_numpy(real).double(), torch.from_numpy(made).double(), kid_subsets=2,
                                   kid_subset_size=len(real), rng_seed=1, verbose=False, **KERNEL)
    return found["kernel_inception_distance_mean"]


def precision_recall(real, made, k):
    found = prc_features_to_metric(torch.from_numpy(made).double(), torch.from_numpy(real).double(),
                                   prc_neighborhood=k, prc_batch_size=1000, save_cpu_ram=False, verbose=False)
    return found["precision"], found["recall"]


def density_coverage(real, made, k):
    def distances(a, b):
        return numpy.sqrt(((a[:, None].astype(numpy.float64) - b[None]) ** 2).sum(-1))

    radii = numpy.sort(distances(real, real), axis=1)[:, k]
    between = distances(real, made)
    inside = between < radii[:, None]
    return inside.sum() / (k * len(made)), (between.min(axis=1) < radii).mean()


def ssim(a, b):
    """skimage.metrics.structural_similarity(gaussian_weights=True, use_sample_covariance=False, data_range=255)."""
    def smooth(x):
        return gaussian_filter(x, sigma=1.5, truncate=3.5)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ua, ub = smooth(a), smooth(b)
    va, vb, vab = smooth(a * a) - ua * ua, smooth(b * b) - ub * ub, smooth(a * b) - ua * ub
    s = (2 * ua * ub + c1) * (2 * vab + c2) / ((ua ** 2 + ub ** 2 + c1) * (va + vb + c2))
    return s[5:-5, 5:-5].mean()


def pixels(a, b):
    a, b = a.astype(numpy.float64), b.astype(numpy.float64)
    y = [16 + image @ LUMA / 255 for image in (a, b)]
    return {
        "psnr": [10 * math.log10(255**2 / ((p - q) ** 2).mean()) for p, q in zip(a, b)],
        "psnr_luma": [10 * math.log10(255**2 / ((p - q) ** 2).mean()) for p, q in zip(*y)],
        "ssim": [numpy.mean([ssim(p[..., c], q[..., c]) for c in range(3)]) for p, q in zip(a, b)],
        "ssim_luma": [ssim(p, q) for p, q in zip(*y)],
    }


def main():
    real = features(300, 16, seed=1)
    made = features(260, 16, seed=2, scale=0.875, shift=0.1875)
    score = isc_features_to_metric(torch.from_numpy(features(47, 6, seed=3, scale=8.0, shift=-4.0)), splits=4,
                                   shuffle=False)
    found = {
        "kid": kid(real[:260], made),
        "inception_score": [score["inception_score_mean"], score["inception_score_std"]],
        "precision_recall": {str(k): precision_recall(real, made, k) for k in (1, 3)},
        "density_coverage": {str(k): density_coverage(real, made, k) for k in (1, 5)},
        "pixels": pixels(images(2, 19, 26, 3, seed=4, noise=16), images(2, 19, 26, 3, seed=5, noise=50)),
    }
    path = pathlib.Path(__file__).parent / "feature_metrics.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
