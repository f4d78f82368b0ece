#include "models/unet2d_config.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "models/config_checks.hpp"

namespace effuse {
namespace {

void check_block_types(const std::vector<std::string>& types, const char* key,
                       std::span<const std::string> known) {
  for (const std::string& type : types) {
    if (std::find(known.begin(), known.end(), type) != known.end()) continue;
    const std::string nearest = nearest_name(type, known);
    throw ConfigError(cat("model.", key, " has \"", type, "\", which is no known block",
                          nearest.empty() ? "" : cat("; did you mean \"", nearest, "\"?")));
  }
}

void check_levels(const ModelConfig& config) {
  static const std::array<std::string, 2> down = {"DownBlock2D", "AttnDownBlock2D"};
  static const std::array<std::string, 2> up = {"UpBlock2D", "AttnUpBlock2D"};
  const std::size_t levels = config.block_out_channels.size();
  if (!config.channels.empty()) {
    throw ConfigError(cat("model.channels has ", config.channels.size(),
                          " entries, but unet2d takes its channels from model.block_out_channels; "
                          "leave it at []"));
  }
  if (levels == 0 || levels > 16) {
    throw ConfigError(cat("model.block_out_channels has ", levels,
                          " entries, one per level; give between 1 and 16"));
  }
  if (config.down_block_types.size() != levels) {
    throw ConfigError(cat("model.down_block_types has ", config.down_block_types.size(),
                          " entries but model.block_out_channels has ", levels,
                          "; give one per level"));
  }
  if (config.up_block_types.size() != levels) {
    throw ConfigError(cat("model.up_block_types has ", config.up_block_types.size(),
                          " entries but model.block_out_channels has ", levels,
                          "; give one per level"));
  }
  check_block_types(config.down_block_types, "down_block_types", down);
  check_block_types(config.up_block_types, "up_block_types", up);
  if (config.layers_per_block < 1) {
    throw ConfigError(cat("model.layers_per_block is ", config.layers_per_block,
                          "; a level needs at least one layer"));
  }
  const std::int64_t factor = std::int64_t{1} << (levels - 1);
  if (config.sample_size % factor != 0) {
    throw ConfigError(cat("model.sample_size is ", config.sample_size, " but ", levels,
                          " levels halve it ", levels - 1, " times; make it a multiple of ", factor,
                          ", or take fewer levels"));
  }
}

/// Whether level i (0 the finest) attends; the coarsest is also the width of the middle block.
bool attends(const ModelConfig& config, std::size_t i) {
  const std::size_t last = config.block_out_channels.size() - 1;
  return i == last || config.down_block_types[i] == "AttnDownBlock2D" ||
         config.up_block_types[last - i] == "AttnUpBlock2D";
}

void check_channels(const ModelConfig& config) {
  if (config.norm_num_groups < 1) {
    throw ConfigError(
        cat("model.norm_num_groups is ", config.norm_num_groups, "; it must be at least 1"));
  }
  if (config.attention_head_dim < 0) {
    throw ConfigError(cat("model.attention_head_dim is ", config.attention_head_dim,
                          "; it must be at least 1, or 0 for one head as wide as the level"));
  }
  for (std::size_t i = 0; i < config.block_out_channels.size(); ++i) {
    const std::int64_t channels = config.block_out_channels[i];
    if (channels < 1 || channels % config.norm_num_groups != 0) {
      throw ConfigError(cat("model.block_out_channels has ", channels,
                            ", which is no multiple of model.norm_num_groups (",
                            config.norm_num_groups,
                            "), so it cannot be normalised in groups; change either"));
    }
    const bool has_heads = attends(config, i) && config.attention_head_dim > 0;
    if (has_heads && channels % config.attention_head_dim != 0) {
      throw ConfigError(cat("model.block_out_channels has ", channels,
                            ", which is no multiple of model.attention_head_dim (",
                            config.attention_head_dim,
                            "), so it cannot be split into attention heads; change either"));
    }
  }
}

void check_scalars(const ModelConfig& config) {
  const std::int64_t half = config.block_out_channels.front() / 2;
  if (static_cast<double>(half) <= config.freq_shift) {
    throw ConfigError(cat("model.freq_shift is ", config.freq_shift,
                          ", not below half of the first of model.block_out_channels (", half,
                          "), so the time embedding would divide by zero; lower it"));
  }
  if (config.dropout < 0.0 || config.dropout >= 1.0) {
    throw ConfigError(cat("model.dropout is ", config.dropout, "; it must lie in [0, 1)"));
  }
  if (config.downsample_padding != 0 && config.downsample_padding != 1) {
    throw ConfigError(
        cat("model.downsample_padding is ", config.downsample_padding, "; it must be 0 or 1"));
  }
  if (config.resnet_time_scale_shift != "default" &&
      config.resnet_time_scale_shift != "scale_shift") {
    throw ConfigError(cat("model.resnet_time_scale_shift is \"", config.resnet_time_scale_shift,
                          "\"; it must be \"default\" or \"scale_shift\""));
  }
}

}  // namespace

void check_unet2d(const ModelConfig& config) {
  check_resolved(config);
  check_levels(config);
  check_channels(config);
  check_scalars(config);
}

}  // namespace effuse
