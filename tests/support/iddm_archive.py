"""A .pt in IDDM's layout, made without torch: names and shapes of its UNet, a network an eighth as wide."""

import json
import pathlib
import pickle
import struct
import zipfile

import numpy as np

NETWORKS = pathlib.Path(__file__).parents[1] / "golden/iddm/networks.json"
EMBEDDING = 256  # of time and class: the one width that stays


def shapes():
    """(name, shape) of each tensor."""
    for name, shape in json.loads(NETWORKS.read_text())["weights"]["unet"]:
        narrow = [n // 8 if n > 16 else n for n in shape]
        if name.endswith(("emb_layer.1.weight", "label_emb.weight")):
            narrow[-1] = EMBEDDING
        yield name, narrow


def text(word):
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def numbers(values):
    return b"(" + b"".join(b"J" + struct.pack("<i", n) for n in values) + b"t"


def tensor(key, shape):
    """As torch.save pickles it; its elements are the archive's data/<key>."""
    strides = [int(np.prod(shape[i + 1:])) for i in range(len(shape))]
    count = b"J" + struct.pack("<i", int(np.prod(shape)))
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + count + b"tQ"
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + numbers(shape) + numbers(strides)
            + b"\x89ccollections\nOrderedDict\n)RtR")


def plain(value):
    """A value's pickle without its header and end."""
    return pickle.dumps(value, 2)[2:-1]


def write_iddm_file(path):
    random = np.random.default_rng(3)
    state, records = b"}(", {}
    for place, (name, shape) in enumerate(shapes()):
        state += text(name) + tensor(str(place), shape)
        records[str(place)] = (0.02 * random.standard_normal(shape)).astype("<f4").tobytes()
    state += b"u"
    rest = {"network": "unet", "act": "gelu", "conditional": True, "num_classes": 10, "image_size": [16, 16],
            "classes_name": None}
    pickled = b"\x80\x02}(" + text("model") + state + text("ema_model") + state
    pickled += b"".join(text(key) + plain(value) for key, value in rest.items()) + b"u."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, content in records.items():
            archive.writestr(f"archive/data/{key}", content)
