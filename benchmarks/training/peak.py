"""peak.py THREADS DEVICE TYPE: the most floating-point operations a second that products of matrices of that type
(float32, bfloat16) reach here, over some sizes, as libtorch computes them."""

import sys
import time

import torch

SIZES = (512, 1024, 2048)
REPEATS = 15


def best_rate(size, device, dtype):
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(REPEATS):
        if device == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        a @ b
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def main(threads, device, dtype):
    torch.set_num_threads(int(threads))
    sizes = SIZES if device == "cpu" else tuple(4 * size for size in SIZES)
    print(max(best_rate(size, device, getattr(torch, dtype)) for size in sizes))


if __name__ == "__main__":
    main(*sys.argv[1:])
