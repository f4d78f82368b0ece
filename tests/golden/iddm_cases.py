"""Configurations of IDDM's networks: small ones, and the two that IDDM trains."""

SMALL_UNET = {
    "name": "unet",
    "sample_size": 16,
    "in_channels": 3,
    "num_class_embeds": 0,
    "channels": [8, 12, 16, 20],
    "act_fn": "silu",
}
SMALL_CSPDARKUNET = SMALL_UNET | {"name": "cspdarkunet", "channels": [4, 8, 16, 32, 64]}

CASES = {
    "unet": SMALL_UNET,
    "unet_grey_with_classes": SMALL_UNET | {"in_channels": 1, "num_class_embeds": 4, "act_fn": "gelu"},
    "unet_relu": SMALL_UNET | {"act_fn": "relu"},
    "unet_relu6": SMALL_UNET | {"act_fn": "relu6"},
    "unet_lrelu": SMALL_UNET | {"act_fn": "lrelu"},
    "unet_iddm_lrelu": SMALL_UNET | {"act_fn": "iddm_lrelu", "num_class_embeds": 4},
    "cspdarkunet": SMALL_CSPDARKUNET,
    "cspdarkunet_grey_with_classes": SMALL_CSPDARKUNET
    | {"in_channels": 1, "num_class_embeds": 4, "act_fn": "gelu"},
    "cspdarkunet_lrelu": SMALL_CSPDARKUNET | {"act_fn": "lrelu"},
    "cspdarkunet_iddm_lrelu": SMALL_CSPDARKUNET | {"act_fn": "iddm_lrelu"},
}

FULL = {
    "unet_of_iddm": {"name": "unet", "sample_size": 32, "in_channels": 3, "num_class_embeds": 11,
                     "act_fn": "gelu"},
    "cspdarkunet_of_iddm": {"name": "cspdarkunet", "sample_size": 32, "in_channels": 3,
                            "num_class_embeds": 11, "act_fn": "gelu"},
}
