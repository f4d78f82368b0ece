#include "app/sample_request.hpp"

#include <algorithm>
#include <utility>

#include "checkpoint/safetensors.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "diffusion/step_plan.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kDefaultNumber = 64;

std::unique_ptr<GivenNoise> read_noise(const std::string& file) {
  at::Tensor initial, steps;
  for (const auto& [name, tensor] : read_safetensors(file).tensors) {
    if (name == "noise") initial = tensor;
    if (name == "step_noise") steps = tensor;
  }
  if (!initial.defined()) {
    throw ConfigError(cat("sampling.noise: ", file,
                          " has no tensor \"noise\" (the starting noise, [N, C, H, W])"));
  }
  try {
    return std::make_unique<GivenNoise>(initial, steps);
  } catch (const ConfigError& error) {
    throw ConfigError(cat("sampling.noise: ", file, ": ", error.what()));
  }
}

/// How many draws the sampler asks its noise source for.
std::int64_t draws_of(const SamplerSettings& settings, const Schedule& schedule) {
  const auto steps = plan_steps(settings, schedule);  // also checks the settings
  const bool draws = settings.kind == SamplerKind::ddpm || settings.eta > 0.0;
  std::int64_t count = 0;
  for (const SamplerStep& step : steps) {
    if (draws && step.adds_noise) count = step.number + 1;
  }
  return count;
}

void check_noise(const GivenNoise& noise, const SampleRequest& request, std::int64_t channels,
                 std::int64_t draws) {
  if (noise.image_shape()[0] != channels) {
    throw ConfigError(cat("sampling.noise has images of ", noise.image_shape()[0],
                          " channels, but the model makes ", channels));
  }
  if (noise.images() < request.sampling.number) {
    throw ConfigError(cat("sampling.noise is for ", noise.images(), " images, but ",
                          request.sampling.number, " are asked for. Ask for at most ",
                          noise.images(), "."));
  }
  if (noise.steps() < draws) {
    throw ConfigError(cat("sampling.noise: the sampler adds noise after ", draws,
                          " steps, but step_noise holds ", noise.steps(),
                          ". Give step_noise [steps, N, C, H, W] with as many."));
  }
}

std::int64_t number_of_images(const SamplingConfig& sampling, const GivenNoise* noise) {
  const auto labels = static_cast<std::int64_t>(sampling.labels.size());
  std::int64_t number = sampling.number;
  if (number == 0 && labels > 0) number = labels;
  if (number == 0) number = noise != nullptr ? noise->images() : kDefaultNumber;
  if (labels > 0 && labels != number) {
    throw ConfigError(cat("sampling.labels has ", labels, " labels for ", number,
                          " images. Give one for each (sampling.classes repeats itself)."));
  }
  return number;
}

ClassPlan plan_classes(const SamplingConfig& sampling, const TrainedModelDescription& model) {
  if (sampling.labels.empty()) return ClassPlan(sampling.classes, model.class_names);
  if (sampling.classes != SamplingConfig().classes) {
    throw ConfigError("sampling.classes and sampling.labels both say the classes. Give one.");
  }
  return ClassPlan::of_labels(sampling.labels, model.class_names);
}

/// IDDM takes a guidance of 0 for none.
void adapt_to_iddm(SamplingConfig& sampling) {
  if (sampling.convention == "iddm" && sampling.guidance == 0.0) sampling.guidance = 1.0;
}

}  // namespace

SampleRequest resolve_request(const SamplingConfig& sampling, const TrainedModelDescription& model,
                              const Schedule& schedule) {
  if (sampling.output.empty()) {
    throw ConfigError("sampling.output is not set. Give --output FOLDER.");
  }
  const SamplerSettings sampler = sampler_settings(sampling, model.diffusion);
  const std::int64_t draws = draws_of(sampler, schedule);
  SampleRequest request{.sampling = sampling,
                        .sampler = sampler,
                        .classes = plan_classes(sampling, model),
                        .noise = nullptr,
                        .height = model.model.sample_size,
                        .width = model.model.sample_size,
                        .noise_sha256 = {}};
  adapt_to_iddm(request.sampling);
  auto given = sampling.noise.empty() ? nullptr : read_noise(sampling.noise);
  request.sampling.number = number_of_images(sampling, given.get());
  if (!given) {
    request.noise = std::make_unique<SeededNoise>(static_cast<std::uint64_t>(sampling.seed));
    return request;
  }
  check_noise(*given, request, model.model.in_channels, draws);
  // A padded tile would be computed by other kernels than a batch of the noise alone.
  request.sampling.tile = std::min(request.sampling.tile, request.sampling.number);
  request.height = given->image_shape()[1];
  request.width = given->image_shape()[2];
  request.noise_sha256 = sha256_of_file(sampling.noise);
  request.noise = std::move(given);
  return request;
}

}  // namespace effuse
