#include "exchange/diffusers_config.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/json_fields.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// Old files have "UNetRes" before the names of blocks.
std::vector<std::string> block_types(const JsonFields& fields, const char* key,
                                     const std::vector<std::string>& fallback) {
  constexpr std::string_view kOldPrefix = "UNetRes";
  std::vector<std::string> types = fields.get(key, fallback);
  for (std::string& type : types) {
    if (type.starts_with(kOldPrefix)) type.erase(0, kOldPrefix.size());
    const bool known = type == "DownBlock2D" || type == "AttnDownBlock2D" || type == "UpBlock2D" ||
                       type == "AttnUpBlock2D";
    if (!known) fields.refuse(key, cat("has ", type, ", a block that unet2d does not have"));
  }
  return types;
}

/// A number or [height, width].
std::int64_t square_size(const JsonFields& fields) {
  if (fields.is_null("sample_size")) {
    fields.refuse("sample_size", "is not set. Write the size of the images into it");
  }
  if (!fields.at("sample_size").is_array()) return fields.get<std::int64_t>("sample_size", 0);
  const auto sizes = fields.get<std::vector<std::int64_t>>("sample_size", {});
  if (sizes.size() != 2 || sizes[0] != sizes[1]) {
    fields.refuse("sample_size", "is no square; Effuse has square images only");
  }
  return sizes[0];
}

/// Keys whose only value here is what unet2d is built as.
void require_fixed(const JsonFields& fields) {
  const std::pair<const char*, Json> fixed[] = {
      {"time_embedding_type", "positional"}, {"time_embedding_dim", nullptr},
      {"mid_block_type", "UNetMidBlock2D"},  {"mid_block_scale_factor", 1},
      {"downsample_type", "conv"},           {"upsample_type", "conv"},
      {"attn_norm_num_groups", nullptr},     {"add_attention", true},
      {"class_embed_type", nullptr}};
  for (const auto& [key, value] : fixed) {
    if (!fields.has(key) || fields.at(key) == value) continue;
    if (std::string_view(key) == "mid_block_type" && fields.at(key) == "UNetResMidBlock2D")
      continue;
    fields.refuse(key, cat("is ", fields.at(key).dump(), "; unet2d has ", value.dump(), " only"));
  }
}

void require_known_keys(const JsonFields& fields, const Json& json) {
  static const Json known = model_to_diffusers(ModelConfig());
  for (const auto& [key, value] : json.items()) {
    const bool says_nothing = value.is_null() || value == Json(false);
    if (key.starts_with('_') || known.contains(key) || says_nothing) continue;
    fields.refuse(key, "is a setting that this release of Effuse does not know");
  }
}

}  // namespace

ModelConfig model_from_diffusers(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  require_known_keys(fields, json);
  require_fixed(fields);
  ModelConfig model;
  model.sample_size = square_size(fields);
  model.in_channels = fields.get<std::int64_t>("in_channels", 3);
  if (fields.get<std::int64_t>("out_channels", 3) != model.in_channels) {
    fields.refuse("out_channels",
                  "is not in_channels; Effuse's networks predict what they are given");
  }
  model.num_class_embeds = fields.get<std::int64_t>("num_class_embeds", 0);
  model.null_class = model.num_class_embeds == 0;
  model.block_out_channels =
      fields.get<std::vector<std::int64_t>>("block_out_channels", {224, 448, 672, 896});
  model.down_block_types =
      block_types(fields, "down_block_types",
                  {"DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"});
  model.up_block_types = block_types(
      fields, "up_block_types", {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"});
  model.layers_per_block = fields.get<std::int64_t>("layers_per_block", 2);
  model.attention_head_dim =
      fields.has("attention_head_dim") && fields.is_null("attention_head_dim")
          ? 0
          : fields.get<std::int64_t>("attention_head_dim", 8);
  model.norm_num_groups = fields.get<std::int64_t>("norm_num_groups", 32);
  model.norm_eps = fields.get("norm_eps", 1e-5);
  model.act_fn = fields.get<std::string>("act_fn", "silu");
  model.dropout = fields.get("dropout", 0.0);
  model.downsample_padding = fields.get<std::int64_t>("downsample_padding", 1);
  model.flip_sin_to_cos = fields.get("flip_sin_to_cos", true);
  model.freq_shift = fields.get("freq_shift", 0.0);
  model.center_input_sample = fields.get("center_input_sample", false);
  model.resnet_time_scale_shift = fields.get<std::string>("resnet_time_scale_shift", "default");
  return model;
}

Json model_to_diffusers(const ModelConfig& model) {
  const auto or_null = [](std::int64_t value) { return value == 0 ? Json() : Json(value); };
  return {{"_class_name", "UNet2DModel"},
          {"act_fn", model.act_fn},
          {"add_attention", true},
          {"attention_head_dim", or_null(model.attention_head_dim)},
          {"attn_norm_num_groups", nullptr},
          {"block_out_channels", model.block_out_channels},
          {"center_input_sample", model.center_input_sample},
          {"class_embed_type", nullptr},
          {"down_block_types", model.down_block_types},
          {"downsample_padding", model.downsample_padding},
          {"downsample_type", "conv"},
          {"dropout", model.dropout},
          {"flip_sin_to_cos", model.flip_sin_to_cos},
          {"freq_shift", model.freq_shift},
          {"in_channels", model.in_channels},
          {"layers_per_block", model.layers_per_block},
          {"mid_block_scale_factor", 1},
          {"mid_block_type", "UNetMidBlock2D"},
          {"norm_eps", model.norm_eps},
          {"norm_num_groups", model.norm_num_groups},
          {"num_class_embeds", or_null(model.num_class_embeds)},
          {"num_train_timesteps", nullptr},
          {"out_channels", model.in_channels},
          {"resnet_time_scale_shift", model.resnet_time_scale_shift},
          {"sample_size", model.sample_size},
          {"time_embedding_dim", nullptr},
          {"time_embedding_type", "positional"},
          {"up_block_types", model.up_block_types},
          {"upsample_type", "conv"}};
}

}  // namespace effuse
