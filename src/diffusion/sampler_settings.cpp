#include "diffusion/sampler_settings.hpp"

#include <array>

#include "core/error.hpp"
#include "core/named.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

const std::array<std::string, 4> kSamplers = {"ddpm", "ddim", "plms", "dpmpp_2m"};
const std::array<std::string, 2> kVariances = {"fixed_small", "fixed_large"};
const std::array<std::string, 3> kConventions = {"effuse", "iddm", "diffusers"};

const std::string& name_of(SamplerKind kind) { return kSamplers[static_cast<std::size_t>(kind)]; }

void check_eta(const SamplerSettings& settings) {
  if (!(settings.eta >= 0.0 && settings.eta <= 1.0)) {
    throw ConfigError(cat("sampling.eta is ", settings.eta, "; it must lie in [0, 1]"));
  }
  if (settings.eta != 0.0 && settings.kind != SamplerKind::ddim) {
    throw ConfigError(cat("sampling.eta is ", settings.eta, ", but ", name_of(settings.kind),
                          " has no eta (its noise is fixed). Use ddim, or leave it out."));
  }
}

void check_steps(std::int64_t steps, std::int64_t timesteps) {
  if (steps < 1 || steps > timesteps) {
    throw ConfigError(cat("sampling.steps is ", steps, ", but the model has ", timesteps,
                          " time steps (diffusion.timesteps). Choose 1 to ", timesteps, "."));
  }
}

/// IDDM's samplers know neither choice nor our additions.
void check_iddm(const SamplerSettings& settings, const Schedule& schedule) {
  if (settings.kind == SamplerKind::dpmpp_2m) {
    throw ConfigError(
        "sampling.convention iddm has ddpm, ddim and plms (what IDDM calls DPM-Solver++ is not the "
        "published method). Use another sampling.convention.");
  }
  if (settings.spacing) {
    throw ConfigError(
        "sampling.spacing cannot be chosen in the convention iddm (IDDM has time steps of its "
        "own). Leave it at auto, or use another sampling.convention.");
  }
  if (settings.clip == Clip::no || settings.variance != Variance::fixed_small) {
    throw ConfigError(
        "sampling.clip and sampling.variance cannot be chosen in the convention iddm (IDDM fixes "
        "both). Leave them out, or use another sampling.convention.");
  }
  if (settings.kind == SamplerKind::ddpm && settings.steps != schedule.size()) {
    throw ConfigError(cat("sampling.steps is ", settings.steps,
                          ", but IDDM's ddpm takes every time step. Give sampling.steps = ",
                          schedule.size(), ", or use another sampling.convention."));
  }
}

/// A noise prediction says nothing of the image where no signal is left.
void check_signal(const SamplerSettings& settings, const Schedule& schedule) {
  const bool pure_noise = schedule.alpha_bar().back() <= 0.0;
  if (pure_noise && settings.kind == SamplerKind::plms) {
    throw ConfigError(
        "sampling.sampler plms averages noise predictions, which say nothing of the image at a "
        "time step without signal (diffusion.zero_terminal_snr). Use ddim, ddpm or dpmpp_2m.");
  }
}

}  // namespace

SamplerSettings sampler_settings(const SamplingConfig& sampling, const DiffusionConfig& diffusion) {
  SamplerSettings settings;
  settings.kind =
      static_cast<SamplerKind>(place_of(sampling.sampler, kSamplers, "sampling.sampler"));
  settings.steps = sampling.steps;
  settings.eta = sampling.eta;
  settings.variance =
      static_cast<Variance>(place_of(sampling.variance, kVariances, "sampling.variance"));
  if (sampling.spacing != "auto") settings.spacing = spacing_named(sampling.spacing);
  settings.clip = sampling.clip ? Clip::yes : Clip::no;
  settings.convention =
      static_cast<Convention>(place_of(sampling.convention, kConventions, "sampling.convention"));
  settings.prediction = prediction_named(diffusion.prediction);
  return settings;
}

void check_sampler(const SamplerSettings& settings, const Schedule& schedule) {
  check_steps(settings.steps, schedule.size());
  check_eta(settings);
  if (settings.variance != Variance::fixed_small && settings.kind != SamplerKind::ddpm) {
    throw ConfigError(cat("sampling.variance is for ddpm; ", name_of(settings.kind),
                          " does not know it. Leave it out."));
  }
  if (settings.convention == Convention::iddm) check_iddm(settings, schedule);
  if (settings.convention == Convention::diffusers && settings.kind == SamplerKind::plms &&
      settings.prediction == Prediction::sample) {
    throw ConfigError(
        "sampling.sampler plms in the convention diffusers takes models that predict epsilon or v "
        "(its PNDMScheduler knows no other). Use another sampling.convention.");
  }
  check_signal(settings, schedule);
}

}  // namespace effuse
