"""effuse-evaluate beside pytorch-fid and torch-fidelity, on the same weights: those of $EFFUSE_INCEPTION, the real
file, where it is set, else random ones."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import inception_file
from image_sets import waves, write_folder
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from not_compared import skip_without
from programs import BIN, TIMEOUT_S, environment, run

try:
    import pytorch_fid.inception
    import torch
    from pytorch_fid.fid_score import calculate_frechet_distance
    from safetensors.torch import load_file
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torch_fidelity.metric_fid import fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kernel_mmd
    from torch_fidelity.metric_prc import prc_features_to_metric

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error

NOISE = 8  # grey levels
DEVICE = ("--device", "cpu", "--set", "parallel.threads=1")


@pytest.fixture(autouse=True)
def references(capsys):
    skip_without(missing, capsys, "scores are not held against pytorch-fid's and torch-fidelity's")
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    if "EFFUSE_INCEPTION" in os.environ:
        (folder / "inception.pth").symlink_to(os.environ["EFFUSE_INCEPTION"])
    else:  # in the format in which the real file was written
        weights = {name: torch.from_numpy(tensor) for name, tensor in inception_file.make_weights().items()}
        torch.save(weights, folder / "inception.pth", _use_new_zipfile_serialization=False)
    return folder


@pytest.fixture(scope="module")
def fidelity(place):
    return FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"],
                                       feature_extractor_weights_path=str(place / "inception.pth")).to(
        memory_format=torch.channels_last)  # half as fast again on a CPU


@pytest.fixture(scope="module")
def pytorch_fid_network(place):
    """pytorch-fid's, which fetches its weights itself, with ours in place of the download."""
    fetch = pytorch_fid.inception.load_state_dict_from_url
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: torch.load(place / "inception.pth")
    try:
        return pytorch_fid.inception.InceptionV3().eval()
    finally:
        pytorch_fid.inception.load_state_dict_from_url = fetch


def our_features(place, tmp_path, images, convention):
    np.savez(tmp_path / "images.npz", images)
    done = subprocess.run([BIN / "image_features", place / "inception.pth", convention, tmp_path / "images.npz",
                           tmp_path / "features.safetensors"], capture_output=True, text=True, env=environment(),
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    return load_file(tmp_path / "features.safetensors")


def planes(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def error_of(ours, theirs):
    return float((ours - theirs).norm() / theirs.norm())


def test_features_are_those_of_pytorch_fid(place, pytorch_fid_network, tmp_path):
    images = waves(1, 32, 32, NOISE)
    with torch.no_grad():
        theirs = pytorch_fid_network(planes(images).float() / 255)[0].flatten(1)
    assert error_of(our_features(place, tmp_path, images, "legacy-pytorch")["pooled"], theirs) <= 1e-4


@pytest.mark.parametrize("size", [32, 350])
def test_features_and_logits_are_those_of_torch_fidelity(place, fidelity, tmp_path, size):
    images = waves(2, 8, size, NOISE)
    with torch.no_grad():
        pooled, logits = fidelity(planes(images))
    ours = our_features(place, tmp_path, images, "legacy-tensorflow")
    assert error_of(ours["pooled"], pooled) <= 1e-4
    assert error_of(ours["logits"], logits) <= 1e-4


def test_features_of_the_clean_convention_are_those_of_images_resized_by_pil(place, pytorch_fid_network, tmp_path):
    images = waves(3, 4, 48, NOISE)
    resized = np.stack([np.stack([np.asarray(Image.fromarray(image[..., c].astype(np.float32), mode="F").resize(
        (299, 299), Image.BICUBIC)) for c in range(3)]) for image in images])
    network = pytorch_fid_network
    network.resize_input = network.normalize_input = False
    try:
        with torch.no_grad():
            theirs = network((torch.from_numpy(resized) - 128) / 128)[0].flatten(1)
    finally:
        network.resize_input = network.normalize_input = True
    assert error_of(our_features(place, tmp_path, images, "clean")["pooled"], theirs) <= 1e-4


def test_scores_of_two_sets_are_those_of_torch_fidelity(place, fidelity, tmp_path):
    real, made = waves(4, 40, 32, NOISE), waves(5, 40, 32, NOISE)  # as many as a subset: KID then draws nothing at random
    done = run("effuse-evaluate", "--reference", write_folder(tmp_path / "real", real), "--images",
               write_folder(tmp_path / "made", made), "--weights", place / "inception.pth", "--allow-unknown-weights",
               "--convention", "legacy-tensorflow", "--metrics", "fid,kid,is,precision_recall", "--kid-subset-size", 40,
               "--set", "evaluation.splits=1", *DEVICE, "--output", tmp_path / "r.json", "--save-statistics", tmp_path / "made.npz")
    assert done.returncode == 0, done.stderr
    ours = json.loads((tmp_path / "r.json").read_text())
    with torch.no_grad():
        found = [[torch.cat(both) for both in zip(*(fidelity(planes(part)) for part in np.array_split(images, 5)))]
                 for images in (real, made)]
    features = [pooled for pooled, _ in found]
    statistics = [{"mu": f.double().mean(0).numpy(), "sigma": np.cov(f.double().numpy(), rowvar=False)}
                  for f in features]
    fid = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert ours["fid"]["value"] == pytest.approx(fid, rel=1e-3)
    prc = prc_features_to_metric(features[1], features[0], prc_neighborhood=3, prc_batch_size=100,
                                 save_cpu_ram=False, verbose=False)
    assert ours["precision"]["value"] == pytest.approx(prc["precision"])
    assert ours["recall"]["value"] == pytest.approx(prc["recall"])
    kid = kernel_mmd(*(f.double().numpy() for f in features))
    assert ours["kid"]["value"] == pytest.approx(kid, rel=1e-3)
    score = isc_features_to_metric(found[1][1], splits=1, shuffle=False)["inception_score_mean"]
    assert ours["is"]["value"] == pytest.approx(score, rel=1e-3)
    saved = np.load(tmp_path / "made.npz")
    assert np.abs(saved["mu"] - statistics[1]["mu"]).max() <= 1e-4 * np.abs(saved["mu"]).max()
    assert np.linalg.norm(saved["sigma"] - statistics[1]["sigma"]) <= 1e-4 * np.linalg.norm(saved["sigma"])


def test_statistics_files_are_exchanged_with_pytorch_fid(tmp_path):
    """Of 64 features, pytorch-fid's smallest choice: its square root of 2048 takes minutes."""
    random = np.random.default_rng(6)
    sets = [random.normal(shift, 1, (500, 64)) @ random.normal(0, 0.2, (64, 64)) for shift in (0.0, 0.3)]
    for name, features in zip("ab", sets):
        np.savez_compressed(tmp_path / f"{name}.npz", mu=features.mean(0), sigma=np.cov(features, rowvar=False))
    done = run("effuse-evaluate", "--reference", tmp_path / "a.npz", "--images", tmp_path / "b.npz", *DEVICE,
               "--output", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    a, b = (np.load(tmp_path / f"{name}.npz") for name in "ab")
    expected = calculate_frechet_distance(a["mu"], a["sigma"], b["mu"], b["sigma"])
    assert json.loads((tmp_path / "r.json").read_text())["fid"]["value"] == pytest.approx(expected, rel=1e-6)


class Averages(torch.nn.Module if missing is None else object):
    """A feature network of four colours' worth: means of the quarters of an image."""

    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x.float() / 255, 2).flatten(1)


class Images(torch.nn.Module if missing is None else object):
    """No features at all."""

    def forward(self, x):
        return x.float()


def test_another_feature_network_is_taken_from_torchscript(tmp_path):
    torch.jit.script(Averages()).save(tmp_path / "averages.pt")
    real, made = waves(7, 40, 16, NOISE), waves(8, 30, 16, NOISE)
    np.savez(tmp_path / "real.npz", real)
    np.savez(tmp_path / "made.npz", made)
    arguments = ("--reference", tmp_path / "real.npz", "--images", tmp_path / "made.npz", *DEVICE)
    done = run("effuse-evaluate", *arguments, "--network", tmp_path / "averages.pt", "--output", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    features = [Averages()(planes(images)).double().numpy() for images in (real, made)]
    expected = calculate_frechet_distance(features[0].mean(0), np.cov(features[0], rowvar=False),
                                          features[1].mean(0), np.cov(features[1], rowvar=False))
    made = json.loads((tmp_path / "r.json").read_text())
    assert made["fid"]["value"] == pytest.approx(expected, rel=1e-6)
    assert made["network"]["name"] == "torchscript"
    scored = run("effuse-evaluate", *arguments, "--network", tmp_path / "averages.pt", "--metrics", "is")
    assert scored.returncode == 2 and "needs a network that classifies" in scored.stderr


class Raises(torch.nn.Module if missing is None else object):
    """Takes images of 64 pixels, as it is tried with, and no others."""

    def forward(self, x):
        if x.size(2) != 64:
            raise RuntimeError("only 64!")
        return torch.nn.functional.adaptive_avg_pool2d(x.float() / 255, 2).flatten(1)


def test_the_cause_of_a_failing_module_is_given(tmp_path):
    torch.jit.script(Raises()).save(tmp_path / "raises.pt")
    np.savez(tmp_path / "real.npz", waves(7, 4, 16, NOISE))
    done = run("effuse-evaluate", "--reference", tmp_path / "real.npz", "--images", tmp_path / "real.npz", *DEVICE,
               "--network", tmp_path / "raises.pt")
    assert done.returncode == 3 and "3, 16, 16]: " in done.stderr and "only 64!" in done.stderr, done.stderr


def test_a_torchscript_file_that_returns_another_shape_is_refused(tmp_path):
    torch.jit.script(Images()).save(tmp_path / "images.pt")
    np.savez(tmp_path / "real.npz", waves(7, 4, 16, NOISE))
    done = run("effuse-evaluate", "--reference", tmp_path / "real.npz", "--images", tmp_path / "real.npz", *DEVICE,
               "--network", tmp_path / "images.pt")
    assert done.returncode == 3 and "features have to be floats [N, D]" in done.stderr
