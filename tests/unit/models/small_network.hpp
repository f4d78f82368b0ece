#pragma once

#include <string>

#include "config/config.hpp"

namespace effuse {

/// A conditional unet2d that computes in milliseconds: 3 classes and the null class, 8x8 grey.
inline ModelConfig small_network() {
  ModelConfig config;
  config.sample_size = 8;
  config.in_channels = 1;
  config.num_class_embeds = 4;
  config.block_out_channels = {8, 16};
  config.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  config.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  config.layers_per_block = 1;
  config.norm_num_groups = 4;
  return config;
}

/// The same of IDDM's kind, "unet" or "cspdarkunet", of 16x16.
inline ModelConfig small_iddm_network(const std::string& name) {
  ModelConfig config;
  config.name = name;
  config.sample_size = 16;
  config.in_channels = 1;
  config.num_class_embeds = 4;
  if (name == "unet") {
    config.channels = {8, 8, 8, 8};
  } else {
    config.channels = {4, 8, 16, 32, 64};
  }
  return config;
}

}  // namespace effuse
