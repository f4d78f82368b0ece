"""IDDM's UNet and CSPDarkUnet, written down a second time with PyTorch's own layers.

The names of the modules give the names of the weights. Held against numbers recorded from IDDM itself
(make_iddm.py), it is what the C++ networks are compared with at other weights, activations and shapes.
"""

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {
    "gelu": (nn.GELU(), nn.GELU()),
    "silu": (nn.SiLU(), nn.SiLU()),
    "relu": (nn.ReLU(), nn.ReLU()),
    "relu6": (nn.ReLU6(), nn.ReLU6()),
    "lrelu": (nn.LeakyReLU(0.01), nn.LeakyReLU(0.01)),
    "iddm_lrelu": (nn.SiLU(), nn.LeakyReLU(0.01)),
}
EMBEDDING = 256


class ConvPair(nn.Module):
    def __init__(self, i, o, act, middle=None, residual=False):
        super().__init__()
        middle = middle or o
        self.double_conv = nn.Sequential(
            nn.Conv2d(i, middle, 3, padding=1, bias=False), nn.GroupNorm(1, middle), act[0],
            nn.Conv2d(middle, o, 3, padding=1, bias=False), nn.GroupNorm(1, o),
        )
        self.after = act[1] if residual else None

    def forward(self, x):
        y = self.double_conv(x)
        return self.after(x + y) if self.after else y


class Embedded(nn.Module):
    """Adds the embedding to what layers() makes."""

    def add_embedding(self, o):
        self.emb_layer = nn.Sequential(nn.SiLU(), nn.Linear(EMBEDDING, o))

    def forward(self, x, embedding, *skip):
        return self.layers(x, *skip) + self.emb_layer(embedding)[:, :, None, None]


class PoolingDown(Embedded):
    def __init__(self, i, o, act):
        super().__init__()
        self.maxpool_conv = nn.Sequential(
            nn.MaxPool2d(2), ConvPair(i, i, act, residual=True), ConvPair(i, o, act)
        )
        self.add_embedding(o)

    def layers(self, x):
        return self.maxpool_conv(x)


class BilinearUp(Embedded):
    def __init__(self, i, o, act):
        super().__init__()
        self.conv = nn.Sequential(ConvPair(i, i, act, residual=True), ConvPair(i, o, act, middle=i // 2))
        self.add_embedding(o)

    def layers(self, x, skip):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return self.conv(torch.cat([skip, x], 1))


class Attention(nn.Module):
    def __init__(self, c, act):
        super().__init__()
        self.mha = nn.MultiheadAttention(c, 4, batch_first=True)
        self.ln = nn.LayerNorm(c)
        self.ff_self = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, c), act[0], nn.Linear(c, c))

    def forward(self, x):
        pixels = x.flatten(2).transpose(1, 2)
        normed = self.ln(pixels)
        pixels = self.mha(normed, normed, normed, need_weights=True)[0] + pixels
        pixels = self.ff_self(pixels) + pixels
        return pixels.transpose(1, 2).reshape(x.shape)


class ConvNormAct(nn.Module):
    def __init__(self, i, o, act, kernel=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(i, o, kernel, stride, (kernel - 1) // 2, bias=False)
        self.gn = nn.GroupNorm(1, o)
        self.act = act[0]

    def forward(self, x):
        return self.act(self.gn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, c, act, shortcut):
        super().__init__()
        self.conv1 = ConvNormAct(c, c, act)
        self.conv2 = ConvNormAct(c, c, act, 3)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


class CspLayer(nn.Module):
    def __init__(self, i, o, count, act, shortcut=True):
        super().__init__()
        half = o // 2
        self.conv1 = ConvNormAct(i, half, act)
        self.conv2 = ConvNormAct(i, half, act)
        self.conv3 = ConvNormAct(2 * half, o, act)
        self.m = nn.Sequential(*[Bottleneck(half, act, shortcut) for _ in range(count)])

    def forward(self, x):
        return self.conv3(torch.cat([self.m(self.conv1(x)), self.conv2(x)], 1))


class CspDown(Embedded):
    def __init__(self, i, o, count, act):
        super().__init__()
        self.conv_csp = nn.Sequential(ConvNormAct(i, o, act, 3, 2), CspLayer(o, o, count, act))
        self.add_embedding(o)

    def layers(self, x):
        return self.conv_csp(x)


class CspUp(Embedded):
    def __init__(self, i, o, act):
        super().__init__()
        self.conv = ConvNormAct(i, o, act)
        self.csp = CspLayer(i, o, 3, act, shortcut=False).requires_grad_(False)  # never called
        self.add_embedding(o)

    def layers(self, x, skip):
        x = F.interpolate(self.conv(x), scale_factor=2, mode="nearest")
        return self.conv(torch.cat([skip, x], 1))


class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        if classes:
            self.condition_adapter = nn.ModuleDict({"label_emb": nn.Embedding(classes, EMBEDDING)})

    def embed(self, t, labels):
        frequencies = 1.0 / 10000 ** (torch.arange(0, EMBEDDING, 2).float() / EMBEDDING)
        angles = t[:, None].float() * frequencies
        embedding = torch.cat([angles.sin(), angles.cos()], 1).to(self.outc.weight.dtype)
        return embedding if labels is None else embedding + self.condition_adapter["label_emb"](labels)


class UNet(Network):
    def __init__(self, widths, channels, classes, act):
        super().__init__(classes)
        c1, c2, c3, c4 = widths
        self.inc = ConvPair(channels, c1, act)
        self.down1, self.sa1 = PoolingDown(c1, c2, act), Attention(c2, act)
        self.down2, self.sa2 = PoolingDown(c2, c3, act), Attention(c3, act)
        self.down3, self.sa3 = PoolingDown(c3, c3, act), Attention(c3, act)
        self.bot1, self.bot2, self.bot3 = ConvPair(c3, c4, act), ConvPair(c4, c4, act), ConvPair(c4, c3, act)
        self.up1, self.sa4 = BilinearUp(2 * c3, c2, act), Attention(c2, act)
        self.up2, self.sa5 = BilinearUp(2 * c2, c1, act), Attention(c1, act)
        self.up3, self.sa6 = BilinearUp(2 * c1, c1, act), Attention(c1, act)
        self.outc = nn.Conv2d(c1, channels, 1)

    def forward(self, x, t, labels=None):
        e = self.embed(t, labels)
        x1 = self.inc(x)
        x2 = self.sa1(self.down1(x1, e))
        x3 = self.sa2(self.down2(x2, e))
        x = self.bot3(self.bot2(self.bot1(self.sa3(self.down3(x3, e)))))
        x = self.sa4(self.up1(x, e, x3))
        x = self.sa5(self.up2(x, e, x2))
        return self.outc(self.sa6(self.up3(x, e, x1)))


class CspDarkUNet(Network):
    def __init__(self, widths, channels, classes, act):
        super().__init__(classes)
        c1, c2, c3, c4, c5 = widths
        self.inc = ConvNormAct(channels, c1, act)
        self.down1, self.sa1 = CspDown(c1, c2, 1, act), Attention(c2, act)
        self.down2, self.sa2 = CspDown(c2, c3, 3, act), Attention(c3, act)
        self.down3, self.sa3 = CspDown(c3, c4, 3, act), Attention(c4, act)
        self.down4, self.sa4 = CspDown(c4, c5, 1, act), Attention(c5, act)
        self.up1, self.sa5 = CspUp(c5, c4, act), Attention(c4, act)
        self.up2, self.sa6 = CspUp(c4, c3, act), Attention(c3, act)
        self.up3, self.sa7 = CspUp(c3, c2, act), Attention(c2, act)
        self.up4, self.sa8 = CspUp(c2, c1, act), Attention(c1, act)
        self.outc = nn.Conv2d(c1, channels, 1)

    def forward(self, x, t, labels=None):
        e = self.embed(t, labels)
        x1 = self.inc(x)
        x2 = self.sa1(self.down1(x1, e))
        x3 = self.sa2(self.down2(x2, e))
        x4 = self.sa3(self.down3(x3, e))
        x = self.sa4(self.down4(x4, e))
        for up, attention, skip in ((self.up1, self.sa5, x4), (self.up2, self.sa6, x3),
                                    (self.up3, self.sa7, x2), (self.up4, self.sa8, x1)):
            x = attention(up(x, e, skip))
        return self.outc(x)


def make_reference(case):
    """The network of a case: keys of [model], num_class_embeds including the null class."""
    kind, widths = {
        "unet": (UNet, [64, 128, 256, 512]),
        "cspdarkunet": (CspDarkUNet, [32, 64, 128, 256, 512]),
    }[case["name"]]
    classes = max(case["num_class_embeds"] - 1, 0)
    return kind(case.get("channels", widths), case["in_channels"], classes, ACTIVATIONS[case["act_fn"]])
