#!/usr/bin/env python3
"""Writes legacy_torch.pt: a state_dict in the form of torch.save before 1.6."""

import collections
import pathlib

import torch


def main():
    whole = torch.arange(24, dtype=torch.float32).view(4, 6)
    state = collections.OrderedDict()
    state["whole"] = whole
    state["view"] = whole[1:3, 2:5]
    state["transposed"] = torch.arange(6, dtype=torch.float64).view(2, 3).t()
    state["parameter"] = torch.nn.Parameter(torch.tensor([0.5, -0.25]))
    state["half"] = torch.tensor([1.5, 2.5, -3.5], dtype=torch.float16)
    state["num_batches_tracked"] = torch.tensor(7)
    state["empty"] = torch.empty(0, 3)
    state._metadata = {"": {"version": 1}}
    path = pathlib.Path(__file__).parent / "legacy_torch.pt"
    torch.save(state, path, _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
