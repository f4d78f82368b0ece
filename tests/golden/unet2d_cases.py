"""Small unet2d configurations that between them use every key of [model]."""

BASE = {
    "sample_size": 8,
    "in_channels": 3,
    "num_class_embeds": 0,
    "block_out_channels": [8, 16],
    "down_block_types": ["DownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "attention_head_dim": 8,
    "norm_num_groups": 4,
    "norm_eps": 1e-5,
    "act_fn": "silu",
    "downsample_padding": 1,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "center_input_sample": False,
    "resnet_time_scale_shift": "default",
}

CASES = {
    "plain": BASE,
    "scale_shift_with_classes": BASE
    | {
        "num_class_embeds": 11,
        "block_out_channels": [8, 16, 16],
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 2,
        "attention_head_dim": 4,
        "norm_eps": 1e-6,
        "downsample_padding": 0,
        "resnet_time_scale_shift": "scale_shift",
    },
    "grey_attention_everywhere": BASE
    | {
        "in_channels": 1,
        "num_class_embeds": 3,
        "block_out_channels": [8, 8],
        "down_block_types": ["AttnDownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D"],
        "act_fn": "gelu",
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "center_input_sample": True,
    },
    "odd_widths": BASE
    | {
        "block_out_channels": [9, 18],
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "attention_head_dim": 3,
        "norm_num_groups": 3,
        "act_fn": "mish",
        "resnet_time_scale_shift": "scale_shift",
    },
    "one_head_a_level": BASE
    | {
        "num_class_embeds": 4,
        "down_block_types": ["AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "AttnUpBlock2D"],
        "attention_head_dim": 0,
    },
}

# google/ddpm-cifar10-32
CIFAR10 = BASE | {
    "sample_size": 32,
    "block_out_channels": [128, 256, 256, 256],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 2,
    "attention_head_dim": 0,
    "norm_num_groups": 32,
    "norm_eps": 1e-6,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
}


def make_reference(case):
    """diffusers' UNet2DModel of this configuration."""
    from diffusers import UNet2DModel

    keys = dict(case)
    keys["out_channels"] = keys["in_channels"]
    keys["num_class_embeds"] = keys["num_class_embeds"] or None
    keys["attention_head_dim"] = keys["attention_head_dim"] or None
    return UNet2DModel(**keys)
