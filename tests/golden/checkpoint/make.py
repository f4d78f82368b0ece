"""Makes python.safetensors, one tensor of each type, by the safetensors package (torch 2.11, safetensors 0.8)."""

import pathlib

import torch
from safetensors.torch import save_file

TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}


def tensors():
    """values[i, j] = (3 i + j) mod 3 of shape [2, 3], a scalar and an empty tensor."""
    matrix = (torch.arange(6) % 3).reshape(2, 3)
    made = {name: matrix.to(dtype) for name, dtype in TYPES.items()}
    return made | {"scalar": torch.tensor(0.5), "empty": torch.zeros(0, 4)}


if __name__ == "__main__":
    save_file(tensors(), pathlib.Path(__file__).with_name("python.safetensors"), metadata={"format": "pt"})
