#include "exchange/diffusers_config.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "exchange/diffusers_scheduler.hpp"
#include "exchange/python_json.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

ModelConfig example_model() {
  ModelConfig model;
  model.sample_size = 16;
  model.in_channels = 1;
  model.num_class_embeds = 3;
  model.null_class = false;
  model.attention_head_dim = 0;
  model.freq_shift = 1;
  model.resnet_time_scale_shift = "scale_shift";
  return model;
}

std::string complaint(const char* key, const Json& value) {
  Json json = model_to_diffusers(example_model());
  json[key] = value;
  return message_of<ConfigError>([&] { model_from_diffusers(json, "config.json"); });
}

std::string scheduler_complaint(const char* key, const Json& value) {
  Json json = diffusion_to_diffusers({});
  json[key] = value;
  return message_of<ConfigError>([&] { diffusion_from_diffusers(json, "s.json"); });
}

TEST(DiffusersConfig, GoesThereAndBack) {
  const ModelConfig model = example_model();
  const Json json = model_to_diffusers(model);
  EXPECT_TRUE(json.at("attention_head_dim").is_null());
  const ModelConfig back = model_from_diffusers(json, "config.json");
  EXPECT_EQ(model_to_diffusers(back), json);
  EXPECT_EQ(back.attention_head_dim, 0);
  EXPECT_EQ(back.num_class_embeds, 3);
  EXPECT_FALSE(back.null_class);
}

TEST(DiffusersConfig, HasTheDefaultsOfDiffusers) {
  const ModelConfig model = model_from_diffusers({{"sample_size", {32, 32}}}, "config.json");
  EXPECT_EQ(model.sample_size, 32);
  EXPECT_EQ(model.in_channels, 3);
  EXPECT_EQ(model.block_out_channels, (std::vector<std::int64_t>{224, 448, 672, 896}));
  EXPECT_EQ(model.down_block_types[1], "AttnDownBlock2D");
  EXPECT_EQ(model.attention_head_dim, 8);
  EXPECT_EQ(model.num_class_embeds, 0);
}

TEST(DiffusersConfig, KnowsOldNamesOfBlocks) {
  const ModelConfig model = model_from_diffusers({{"sample_size", 8},
                                                  {"block_out_channels", {32}},
                                                  {"down_block_types", {"UNetResAttnDownBlock2D"}},
                                                  {"up_block_types", {"UNetResUpBlock2D"}},
                                                  {"mid_block_type", "UNetResMidBlock2D"}},
                                                 "config.json");
  EXPECT_EQ(model.down_block_types.front(), "AttnDownBlock2D");
}

TEST(DiffusersConfig, NamesTheKeyThatItDoesNotHave) {
  const std::pair<const char*, Json> refused[] = {{"time_embedding_type", "fourier"},
                                                  {"time_embedding_dim", 64},
                                                  {"mid_block_type", nullptr},
                                                  {"mid_block_scale_factor", 1.41},
                                                  {"downsample_type", "resnet"},
                                                  {"upsample_type", "resnet"},
                                                  {"attn_norm_num_groups", 8},
                                                  {"add_attention", false},
                                                  {"class_embed_type", "timestep"},
                                                  {"out_channels", 2},
                                                  {"sample_size", {16, 8}},
                                                  {"sample_size", nullptr},
                                                  {"sample_size", {16}},
                                                  {"block_out_channels", "wide"},
                                                  {"encoder_hid_dim", 4},
                                                  {"down_block_types", {"SkipDownBlock2D"}},
                                                  {"up_block_types", {"KUpBlock2D"}},
                                                  {"act_fn", 3}};
  for (const auto& [key, value] : refused) {
    EXPECT_TRUE(complaint(key, value).starts_with(std::string("config.json: ") + key + " ")) << key;
  }
  EXPECT_EQ(message_of<ConfigError>([] { model_from_diffusers(Json::array(), "config.json"); }),
            "config.json is no JSON object");
}

TEST(PythonJson, MayHaveNumbersThatAreNone) {
  EXPECT_EQ(
      without_non_numbers(R"({"a": -Infinity, "b": [NaN,Infinity], "NaN \" NaN": "Infinity"})"),
      R"({"a": null, "b": [null,null], "NaN \" NaN": "Infinity"})");
  EXPECT_EQ(without_non_numbers("\"\\"), "\"\\");
}

TEST(DiffusersScheduler, GoesThereAndBack) {
  DiffusionConfig diffusion;
  diffusion.timesteps = 500;
  diffusion.prediction = "v_prediction";
  diffusion.zero_terminal_snr = true;
  diffusion.beta_end = 0.012;
  for (const char* schedule : {"linear", "cosine", "scaled_linear"}) {
    diffusion.schedule = schedule;
    const DiffusionConfig back =
        diffusion_from_diffusers(diffusion_to_diffusers(diffusion), "s.json");
    EXPECT_EQ(back.schedule, schedule);
    EXPECT_EQ(back.timesteps, 500);
    EXPECT_EQ(back.prediction, "v_prediction");
    EXPECT_TRUE(back.zero_terminal_snr);
    EXPECT_EQ(back.beta_end, 0.012);
  }
}

TEST(DiffusersScheduler, NamesTheKeyThatItDoesNotHave) {
  const std::pair<const char*, Json> refused[] = {{"trained_betas", {0.1, 0.2}},
                                                  {"beta_schedule", "sigmoid"},
                                                  {"prediction_type", "flow"},
                                                  {"_class_name", "ScoreSdeVeScheduler"},
                                                  {"num_train_timesteps", "many"}};
  for (const auto& [key, value] : refused) {
    EXPECT_TRUE(scheduler_complaint(key, value).starts_with(std::string("s.json: ") + key + " "))
        << key;
  }
}

TEST(DiffusersScheduler, HasNoScheduleOfClippedAlphas) {
  DiffusionConfig diffusion;
  diffusion.schedule = "sqrt";
  diffusion.min_alpha_bar = 0.001;
  EXPECT_NE(message_of<ConfigError>([&] {
              diffusion_to_diffusers(diffusion);
            }).find("is none that diffusers has"),
            std::string::npos);
}

TEST(DiffusersScheduler, SaysHowToSampleAlike) {
  Json json = diffusion_to_diffusers({});
  json["timestep_spacing"] = "trailing";
  json["variance_type"] = "fixed_large";
  json["clip_sample"] = false;
  json["thresholding"] = true;
  json["steps_offset"] = 1;
  EXPECT_EQ(sampling_notes(json, "s.json"),
            (std::vector<std::string>{
                "to sample as its scheduler does, give effuse-sample --sampler ddpm "
                "--convention diffusers --set sampling.spacing=trailing --set "
                "sampling.variance=fixed_large --set sampling.clip=false",
                "its scheduler has thresholding, which effuse-sample does not have",
                "its scheduler has steps_offset 1, which effuse-sample does not have"}));
  EXPECT_EQ(sampling_notes({{"_class_name", "UniPCMultistepScheduler"}}, "s.json").size(), 1u);
  EXPECT_EQ(sampling_notes({{"_class_name", "DPMSolverMultistepScheduler"}, {"solver_order", 3}},
                           "s.json")
                .back(),
            "its scheduler has solver_order 3, which effuse-sample does not have");
  EXPECT_NE(sampling_notes({{"_class_name", "PNDMScheduler"}}, "s.json").front().find("plms"),
            std::string::npos);
}

}  // namespace
}  // namespace effuse
