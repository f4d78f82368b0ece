#include "exchange/diffusers_scheduler.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/json_fields.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// A scheduler of diffusers over betas: Effuse's sampler for it, and its own spacing of steps.
struct KnownScheduler {
  std::string_view name;
  std::string_view sampler;  ///< empty: none
  std::string_view spacing = "leading";
};

constexpr std::array<KnownScheduler, 16> kSchedulers{{
    {"DDPMScheduler", "ddpm"},
    {"DDPMParallelScheduler", "ddpm"},
    {"DDIMScheduler", "ddim"},
    {"DDIMParallelScheduler", "ddim"},
    {"DDIMInverseScheduler", ""},
    {"PNDMScheduler", "plms"},
    {"DPMSolverMultistepScheduler", "dpmpp_2m", "linspace"},
    {"DPMSolverSinglestepScheduler", ""},
    {"DPMSolverSDEScheduler", ""},
    {"DEISMultistepScheduler", ""},
    {"UniPCMultistepScheduler", ""},
    {"EulerDiscreteScheduler", ""},
    {"EulerAncestralDiscreteScheduler", ""},
    {"HeunDiscreteScheduler", ""},
    {"LMSDiscreteScheduler", ""},
    {"KDPM2DiscreteScheduler", ""},
}};

const KnownScheduler& known_scheduler(const JsonFields& fields) {
  const std::string name = fields.get<std::string>("_class_name", "DDPMScheduler");
  for (const KnownScheduler& known : kSchedulers) {
    if (known.name == name) return known;
  }
  fields.refuse("_class_name", cat("is ", name,
                                   ", which does not step through betas, so Effuse "
                                   "has no such diffusion"));
}

std::string schedule_from(const JsonFields& fields) {
  const std::string name = fields.get<std::string>("beta_schedule", "linear");
  if (name == "linear" || name == "scaled_linear") return name;
  if (name == "squaredcos_cap_v2") return "cosine";
  fields.refuse("beta_schedule", cat("is ", name, ", which Effuse does not have"));
}

std::string prediction_from(const JsonFields& fields) {
  const std::string name = fields.get<std::string>("prediction_type", "epsilon");
  if (name == "epsilon" || name == "v_prediction" || name == "sample") return name;
  fields.refuse("prediction_type", cat("is ", name, ", which Effuse does not have"));
}

std::string variance_option(const JsonFields& fields, std::vector<std::string>& notes) {
  const std::string variance = fields.get<std::string>("variance_type", "fixed_small");
  if (variance == "fixed_small") return "";
  if (variance == "fixed_large") return " --set sampling.variance=fixed_large";
  notes.push_back(
      cat("its scheduler has variance_type ", variance, ", which effuse-sample does not have"));
  return "";
}

/// A setting of a scheduler, and its value in the one that Effuse has.
struct SamplerSetting {
  std::string_view sampler;
  const char* key;
  Json value;
};

/// What effuse-sample cannot do as the scheduler does.
void add_unlike(const JsonFields& fields, std::string_view sampler,
                std::vector<std::string>& notes) {
  static const std::array<SamplerSetting, 7> settings{
      {{"ddim", "set_alpha_to_one", true},
       {"plms", "set_alpha_to_one", false},
       {"plms", "skip_prk_steps", true},
       {"dpmpp_2m", "algorithm_type", "dpmsolver++"},
       {"dpmpp_2m", "solver_order", 2},
       {"dpmpp_2m", "solver_type", "midpoint"},
       {"dpmpp_2m", "use_karras_sigmas", false}}};
  const auto unlike = [&](const std::string& what) {
    notes.push_back(cat("its scheduler has ", what, ", which effuse-sample does not have"));
  };
  for (const auto& [of, key, value] : settings) {
    if (of != sampler || !fields.has(key) || fields.at(key) == value) continue;
    unlike(cat(key, " ", fields.at(key).dump()));
  }
  if (fields.get("thresholding", false)) unlike("thresholding");
  const double range = fields.get("clip_sample_range", 1.0);
  if (fields.get("clip_sample", true) && range != 1.0) {
    unlike(cat("clip_sample_range ", shortest(range)));
  }
  const auto offset = fields.get<std::int64_t>("steps_offset", 0);
  if (offset != 0) unlike(cat("steps_offset ", offset));
}

}  // namespace

DiffusionConfig diffusion_from_diffusers(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  known_scheduler(fields);
  if (!fields.is_null("trained_betas")) {
    fields.refuse("trained_betas", "is set; Effuse has schedules by formula only");
  }
  DiffusionConfig diffusion;
  diffusion.timesteps = fields.get<std::int64_t>("num_train_timesteps", 1000);
  diffusion.schedule = schedule_from(fields);
  diffusion.beta_start = fields.get("beta_start", 1e-4);
  diffusion.beta_end = fields.get("beta_end", 0.02);
  diffusion.prediction = prediction_from(fields);
  diffusion.zero_terminal_snr = fields.get("rescale_betas_zero_snr", false);
  return diffusion;
}

Json diffusion_to_diffusers(const DiffusionConfig& diffusion) {
  std::string schedule = diffusion.schedule;
  if (schedule == "cosine") schedule = "squaredcos_cap_v2";
  if (schedule == "sqrt_linear") schedule = "scaled_linear";
  if (schedule == "sqrt" || diffusion.min_alpha_bar > 0) {
    throw ConfigError(cat(
        "diffusion.schedule ", schedule, " with min_alpha_bar ", shortest(diffusion.min_alpha_bar),
        " is none that diffusers has, so its images would be wrong there. Use --to safetensors"));
  }
  return {{"_class_name", "DDPMScheduler"},
          {"beta_end", diffusion.beta_end},
          {"beta_schedule", schedule},
          {"beta_start", diffusion.beta_start},
          {"clip_sample", true},
          {"clip_sample_range", 1.0},
          {"dynamic_thresholding_ratio", 0.995},
          {"num_train_timesteps", diffusion.timesteps},
          {"prediction_type", diffusion.prediction},
          {"rescale_betas_zero_snr", diffusion.zero_terminal_snr},
          {"sample_max_value", 1.0},
          {"steps_offset", 0},
          {"thresholding", false},
          {"timestep_spacing", "linspace"},
          {"trained_betas", nullptr},
          {"variance_type", "fixed_small"}};
}

std::vector<std::string> sampling_notes(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  const KnownScheduler& known = known_scheduler(fields);
  std::vector<std::string> notes;
  if (known.sampler.empty()) {
    notes.push_back(cat("its scheduler is ", known.name, ", which effuse-sample does not have"));
    return notes;
  }
  std::string options =
      cat("--sampler ", known.sampler, " --convention diffusers",
          " --set sampling.spacing=", fields.get("timestep_spacing", std::string(known.spacing)));
  options += variance_option(fields, notes);
  const bool clips = known.sampler == "ddpm" || known.sampler == "ddim";
  if (clips && !fields.get("clip_sample", true)) options += " --set sampling.clip=false";
  add_unlike(fields, known.sampler, notes);
  notes.insert(notes.begin(), cat("to sample as its scheduler does, give effuse-sample ", options));
  return notes;
}

}  // namespace effuse
