"""effuse-convert with the files of diffusers and, in IDDM's layout, of torch.save, where torch and diffusers are
there."""

import collections
import json
import os
import pathlib
import pickle
import re
import sys

import pytest

from programs import make_config, make_dataset, run

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / folder) for folder in ("golden", "support")]

from not_compared import skip_without

try:
    import diffusers
    import torch
    from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
    from safetensors.torch import load_file, save_file

    missing = None
except Exception as error:  # a CPU-only libtorch has a torch folder that cannot be imported
    missing = error

SMALL = ("--device", "cpu", "--set", "parallel.threads=1", "--number", 2, "--steps", 2)
UNET = {"sample_size": 8, "block_out_channels": (8, 8), "layers_per_block": 1, "norm_num_groups": 4,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"), "up_block_types": ("AttnUpBlock2D", "UpBlock2D")}
LABELS = "condition_adapter.label_emb.weight"


@pytest.fixture(autouse=True)
def references(capsys):
    skip_without(missing, capsys, "conversion is tested against Effuse's own files alone")
    torch.set_num_threads(1)  # several wait for each other on busy machines


def convert(*arguments, code=0):
    done = run("effuse-convert", *arguments)
    assert done.returncode == code, done.stderr
    return done.stderr


def sample(weights, output, *arguments):
    done = run("effuse-sample", "--weights", weights, "--output", output, *SMALL, *arguments)
    assert done.returncode == 0, done.stderr
    assert len(list(output.glob("images/*/*.png"))) == 2


def save_pipeline(folder, dtype=None, scheduler=None, **settings):
    torch.manual_seed(5)
    unet = UNet2DModel(**{**UNET, **settings})
    DDPMPipeline(unet.to(dtype or torch.float32), scheduler or DDPMScheduler()).save_pretrained(folder)
    return unet


def weights_of(folder):
    return load_file(folder / "unet/diffusion_pytorch_model.safetensors")


def assert_identical(ours, expected):
    assert ours.keys() == expected.keys()
    for name, tensor in expected.items():
        assert ours[name].dtype == tensor.dtype and torch.equal(ours[name], tensor), name


@pytest.mark.parametrize("dtype, settings", [
    ("float32", {}), ("float16", {}), ("bfloat16", {"num_class_embeds": 3}),
    ("float32", {"attention_head_dim": None, "act_fn": "gelu", "resnet_time_scale_shift": "scale_shift"}),
    ("float32", {"in_channels": 1, "out_channels": 1, "flip_sin_to_cos": False, "freq_shift": 1,
                 "downsample_padding": 0, "norm_eps": 1e-6, "center_input_sample": True, "dropout": 0.1}),
])
def test_tensors_come_back_identical(tmp_path, dtype, settings):
    save_pipeline(tmp_path / "a", getattr(torch, dtype), **settings)
    convert("--input", tmp_path / "a", "--output", tmp_path / "b")
    convert("--input", tmp_path / "b", "--output", tmp_path / "c", "--to", "diffusers")
    assert_identical(weights_of(tmp_path / "c"), weights_of(tmp_path / "a"))
    before, after = (json.loads((tmp_path / name / "unet/config.json").read_text()) for name in "ac")
    assert {**after, "_diffusers_version": before["_diffusers_version"]} == before
    sample(tmp_path / "b", tmp_path / "s", "--guidance", 1)


def test_diffusers_opens_and_samples_what_is_written(tmp_path):
    save_pipeline(tmp_path / "a", scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2"))
    convert("--input", tmp_path / "a", "--output", tmp_path / "b")
    convert("--input", tmp_path / "b", "--output", tmp_path / "c", "--to", "diffusers")
    pipeline = DDPMPipeline.from_pretrained(tmp_path / "c")
    assert isinstance(pipeline.scheduler, DDPMScheduler)
    assert pipeline.scheduler.config.beta_schedule == "squaredcos_cap_v2"
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline(batch_size=2, num_inference_steps=2).images
    assert len(images) == 2 and images[0].size == (8, 8)


def test_a_scheduler_is_read_and_what_it_does_is_said(tmp_path):
    scheduler = DDIMScheduler(beta_schedule="scaled_linear", beta_end=0.012, prediction_type="v_prediction",
                              num_train_timesteps=500, clip_sample=False, rescale_betas_zero_snr=True)
    save_pipeline(tmp_path / "a", scheduler=scheduler)
    said = convert("--input", tmp_path / "a", "--output", tmp_path / "b")
    assert ("--sampler ddim --convention diffusers --set sampling.spacing=leading "
            "--set sampling.clip=false") in said
    config = json.loads((tmp_path / "b/state.json").read_text())["config"]
    for line in ('schedule = "scaled_linear"', "beta_end = 0.012", 'prediction = "v_prediction"',
                 "timesteps = 500", "zero_terminal_snr = true"):
        assert line in config


@pytest.mark.parametrize("scheduler", ["DDIMScheduler", "DPMSolverMultistepScheduler"])
def test_the_settings_that_are_said_give_the_floats_of_diffusers(tmp_path, scheduler):
    made = getattr(diffusers, scheduler)(beta_schedule="scaled_linear", beta_end=0.012)
    unet = save_pipeline(tmp_path / "a", scheduler=made)
    said = convert("--input", tmp_path / "a", "--output", tmp_path / "b")
    options = re.search("give effuse-sample (.*)", said)[1].split()
    noise = torch.randn([2, 3, 8, 8])
    save_file({"noise": noise}, tmp_path / "noise.safetensors")
    made.set_timesteps(5)
    x = noise
    with torch.no_grad():
        for t in made.timesteps:
            x = made.step(unet(x, t).sample, t, x).prev_sample
    done = run("effuse-sample", "--weights", tmp_path / "b", "--output", tmp_path / "s", "--device", "cpu", "--set",
               "parallel.threads=1", "--steps", 5, "--noise", tmp_path / "noise.safetensors", "--format", "safetensors", *options)
    assert done.returncode == 0, done.stderr
    ours = load_file(tmp_path / "s/images.safetensors")["images"]
    assert (ours - x).norm() / x.norm() < 1e-4


def test_a_network_alone_in_old_files_with_old_names(tmp_path):
    unet = save_pipeline(tmp_path / "a")
    old = tmp_path / "old"
    old.mkdir()
    (old / "config.json").write_bytes((tmp_path / "a/unet/config.json").read_bytes())
    state = collections.OrderedDict()
    for name, tensor in unet.state_dict().items():
        for modern, before in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            name = name.replace(f".{modern}.", f".{before}.")
        state[name] = tensor
    assert state.keys() != unet.state_dict().keys()
    torch.save(state, old / "diffusion_pytorch_model.bin")
    said = convert("--input", old, "--output", tmp_path / "b")
    assert "assumed is the linear schedule" in said
    assert_identical(load_file(tmp_path / "b/model.safetensors"), weights_of(tmp_path / "a"))


def test_classes_of_diffusers_have_numbers_and_no_null_class(tmp_path):
    save_pipeline(tmp_path / "a", num_class_embeds=3)
    said = convert("--input", tmp_path / "a", "--output", tmp_path / "b")
    assert "3: 0, 1, 2" in said and "no guidance" in said and "--guidance 1" in said
    state = json.loads((tmp_path / "b/state.json").read_text())
    assert "null_class = false" in state["config"] and state["class_names"] == ["0", "1", "2"]
    sample(tmp_path / "b", tmp_path / "s", "--guidance", 1, "--classes", '["2"]')


@pytest.mark.parametrize("file, change, messages", [
    ("unet/config.json", {"time_embedding_type": "fourier"}, ("config.json: time_embedding_type", "fourier")),
    ("unet/config.json", {"_class_name": "UNet2DConditionModel"}, ("UNet2DConditionModel",)),
    ("unet/config.json", {"in_channels": 8, "out_channels": 8}, ("model.in_channels", "8")),
    ("model_index.json", {"vae": ["diffusers", "AutoencoderKL"]}, ("model_index.json: vae", "AutoencoderKL")),
    ("scheduler/scheduler_config.json", {"trained_betas": [0.1]}, ("scheduler_config.json: trained_betas",)),
    ("scheduler/scheduler_config.json", {"beta_schedule": "sigmoid"}, ("beta_schedule", "sigmoid")),
])
def test_what_effuse_does_not_have_is_named(tmp_path, file, change, messages):
    save_pipeline(tmp_path / "a")
    path = tmp_path / "a" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    said = convert("--input", tmp_path / "a", "--output", tmp_path / "b", code=2)
    assert all(message in said for message in messages), said
    assert os.listdir(tmp_path) == ["a"]


def test_damaged_folders_are_named(tmp_path):
    save_pipeline(tmp_path / "a")
    weights = tmp_path / "a/unet/diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    config = tmp_path / "a/unet/config.json"
    weights.write_bytes(content[:-4])
    assert "is no valid safetensors file" in convert("--input", tmp_path / "a", "--output", tmp_path / "b", code=1)
    weights.unlink()
    assert "has neither" in convert("--input", tmp_path / "a", "--output", tmp_path / "b", code=1)
    weights.write_bytes(content)
    config.write_text(config.read_text().replace('"layers_per_block": 1', '"layers_per_block": 2'))
    said = convert("--input", tmp_path / "a", "--output", tmp_path / "b", code=1)
    assert "tensors do not fit the network unet2d" in said and "missing down_blocks.0.resnets.1" in said
    config.write_text(config.read_text().replace('"layers_per_block": 2', '"layers_per_block": 1000000000'))
    said = convert("--input", tmp_path / "a", "--output", tmp_path / "b", code=1)
    assert "describes a network of 1.28e+11 weights or more, but holds" in said
    config.write_text("{")
    assert "malformed JSON" in convert("--input", tmp_path / "a", "--output", tmp_path / "b", code=1)


def iddm_network(name="unet", classes=3):
    from iddm_networks import make_reference

    torch.manual_seed(7)
    widths = {"unet": [8, 8, 12, 16], "cspdarkunet": [4, 8, 16, 32, 64]}[name]
    return make_reference({"name": name, "channels": widths, "in_channels": 3, "act_fn": "gelu",
                           "num_class_embeds": classes + 1 if classes else 0})


def iddm_file(source, name="unet", classes=3, **changes):
    """What IDDM's save_ckpt() saves."""
    optimizer = torch.optim.AdamW(source.parameters(), lr=3e-4)
    sum((p ** 2).sum() for p in source.parameters()).backward()
    optimizer.step()
    state = source.state_dict()
    return {"start_epoch": 3, "model": state,
            "ema_model": collections.OrderedDict((k, v + 1) for k, v in state.items()) if classes else None,
            "optimizer": optimizer.state_dict(), "num_classes": classes or 1, "classes_name": None,
            "conditional": bool(classes), "image_size": [16, 16], "sample": "ddpm", "network": name, "act": "gelu",
            "mode": "class", **changes}


@pytest.mark.parametrize("name, prefix, labels, protocol", [
    ("unet", "", LABELS, 2), ("cspdarkunet", "module.", LABELS, 2), ("unet", "module.", "label_emb.weight", 3),
    ("cspdarkunet", "", "label_emb.weight", 4)])
def test_a_file_of_iddm_is_imported_and_samples(tmp_path, name, prefix, labels, protocol):
    network = iddm_network(name)
    content = iddm_file(network, name, classes_name=["cat", "dog", "eel"])
    for kind in ("model", "ema_model"):
        content[kind] = collections.OrderedDict((prefix + key.replace(LABELS, labels), value)
                                                for key, value in content[kind].items())
    torch.save(content, tmp_path / "a.pt", pickle_protocol=protocol)
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "ema",
                   "--set", "diffusion.schedule=cosine")
    assert f"network     {name}" in said and "images of 16x16x3" in said and "3: cat, dog, eel" in said
    assert "do not store the noise schedule: taken is cosine over 1000 steps" in said
    convert("--input", tmp_path / "a.pt", "--output", tmp_path / "model", "--weights", "model")
    expected = network.state_dict()
    assert_identical(load_file(tmp_path / "model/model.safetensors"), expected)
    assert_identical(load_file(tmp_path / "ema/model.safetensors"), {k: v + 1 for k, v in expected.items()})
    sample(tmp_path / "ema", tmp_path / "s", "--classes", '["eel"]')


def test_a_schedule_that_cannot_be_sampled_is_not_written(tmp_path):
    file = tmp_path / "a.pt"
    torch.save(iddm_file(iddm_network()), file)
    for setting, message in (("schedule=sqrt", "underflows in fp32"), ("zero_terminal_snr=true", "pure noise")):
        said = convert("--input", file, "--output", tmp_path / "out", "--set", f"diffusion.{setting}", code=2)
        assert message in said and not (tmp_path / "out").exists()


def test_an_unconditional_file_has_no_average_and_says_so(tmp_path):
    torch.save(iddm_file(iddm_network(classes=0), classes=0, act="lrelu"), tmp_path / "a.pt")
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b", code=2)
    assert "holds no averaged weights" in said and "--weights model" in said
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b", "--weights", "model")
    assert "classes     none" in said
    assert 'act_fn = "iddm_lrelu"' in json.loads((tmp_path / "b/state.json").read_text())["config"]
    sample(tmp_path / "b", tmp_path / "s")


def test_a_state_dict_alone_has_to_be_told_the_rest(tmp_path):
    torch.save(iddm_network("cspdarkunet").state_dict(), tmp_path / "a.pt")
    arguments = ["--input", tmp_path / "a.pt", "--output", tmp_path / "b"]
    assert "does not say its activation" in convert(*arguments, code=2)
    arguments += ["--set", "convert.act_fn=gelu"]
    assert "does not say the size of its images" in convert(*arguments, code=2)
    assert "cspdarkunet" in convert(*arguments, "--set", "convert.sample_size=16")
    sample(tmp_path / "b", tmp_path / "s")


@pytest.mark.parametrize("changes, code, messages", [
    ({"network": "unetv2"}, 2, ("IDDM's network unetv2", "unet and cspdarkunet")),
    ({"act": "tanh"}, 2, ("activation tanh",)),
    ({"network": "cspdarkunet"}, 1, ("lacks the tensor inc.conv.weight",)),
    ({"image_size": None}, 2, ("does not say the size of its images",)),
    ({"model": {}}, 1, ('"model" in', "no state_dict of tensors")),
])
def test_files_of_iddm_that_effuse_cannot_take(tmp_path, changes, code, messages):
    torch.save(iddm_file(iddm_network(), **changes), tmp_path / "a.pt")
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b", "--weights", "model", code=code)
    assert all(message in said for message in messages), said


def test_what_is_odd_in_a_file_is_noted(tmp_path):
    torch.save(iddm_file(iddm_network(), image_size=[16, 24], classes_name=["one"]), tmp_path / "a.pt")
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b")
    assert "images of 16x24" in said and "list of 1 class names does not fit its 3 classes" in said


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_of_old_torch_is_imported(tmp_path, protocol):
    network = iddm_network()
    torch.save(iddm_file(network), tmp_path / "a.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b", "--weights", "model")
    assert_identical(load_file(tmp_path / "b/model.safetensors"), network.state_dict())


def test_a_bare_pickle_is_refused_with_advice(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"model": {}}, protocol=2))
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b", code=1)
    assert "is a bare pickle" in said and "again with torch.save" in said


def test_numbers_of_numpy_are_refused_by_name(tmp_path):
    import numpy

    torch.save({"model": {}, "best": numpy.float64(1.5)}, tmp_path / "a.pt")
    said = convert("--input", tmp_path / "a.pt", "--output", tmp_path / "b", code=1)
    assert "names the callable numpy" in said and "nothing in it was executed" in said


def test_training_begins_from_a_file_of_iddm(tmp_path):
    make_dataset(tmp_path / "packed")
    network = iddm_network(classes=0)
    torch.save(iddm_file(network, classes=0), tmp_path / "a.pt")
    done = run("effuse-train", "--config", make_config(tmp_path), "--set", "model.name=unet", "--set",
               "model.channels=[8, 8, 12, 16]", "--set", f"model.pretrained={tmp_path}/a.pt", "--set",
               "run.steps=1", "--set", "optimizer.lr=0", "--set", "optimizer.weight_decay=0")
    assert done.returncode == 0, done.stderr
    assert "1 that do not fit" in done.stderr and f"missing {LABELS} [2, 256]" in done.stderr
    begun = load_file(tmp_path / "runs/tiny/checkpoints/latest/model.safetensors")
    assert all(torch.equal(begun[name], tensor) for name, tensor in network.state_dict().items())
