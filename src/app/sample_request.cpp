#include "app/sample_request.hpp"

#include <algorithm>
#include <utility>

#include "app/image_size.hpp"
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
  if (noise.images() < request.set.end) {
    throw ConfigError(cat("sampling.noise is for ", noise.images(), " images, but ",
                          request.set.end, " are asked for (counted from number 0). Ask for at ",
                          "most ", noise.images(), "."));
  }
  const bool fits_size =
      noise.image_shape()[1] == request.height && noise.image_shape()[2] == request.width;
  if (!request.sampling.size.empty() && !fits_size) {
    throw ConfigError(cat("sampling.noise is for images of ", noise.image_shape()[2], "x",
                          noise.image_shape()[1], " pixels, but sampling.size is ",
                          request.sampling.size, ". Leave that out."));
  }
  if (noise.steps() < draws) {
    throw ConfigError(cat("sampling.noise: the sampler adds noise after ", draws,
                          " steps, but step_noise holds ", noise.steps(),
                          ". Give step_noise [steps, N, C, H, W] with as many."));
  }
}

/// Which images where sampling.seeds does not say it: from 0.
IndexRange range_by_number(const SamplingConfig& sampling, const ClassPlan& classes,
                           const GivenNoise* noise) {
  if (sampling.number > 0) return {0, sampling.number};
  if (!sampling.labels.empty()) return {0, static_cast<std::int64_t>(sampling.labels.size())};
  if (noise != nullptr) return {0, noise->images()};
  if (!sampling.classes_file.empty()) {
    return {0, static_cast<std::int64_t>(classes.classes().size())};
  }
  return {0, kDefaultNumber};
}

IndexRange which_images(const SamplingConfig& sampling, const ClassPlan& classes,
                        const GivenNoise* noise) {
  IndexRange set = range_by_number(sampling, classes, noise);
  if (!sampling.seeds.empty()) {
    set = parse_image_range(sampling.seeds);
    if (sampling.number > 0 && sampling.number != set.count()) {
      throw ConfigError(cat("sampling.seeds ", sampling.seeds, " are ", set.count(),
                            " images, but sampling.number is ", sampling.number,
                            ". Give one of them."));
    }
  }
  const auto labels = static_cast<std::int64_t>(sampling.labels.size());
  if (labels > 0 && labels != set.end) {
    throw ConfigError(cat("sampling.labels has ", labels, " labels for ", set.end,
                          " images (counted from number 0). Give one for each ",
                          "(sampling.classes repeats itself)."));
  }
  return set;
}

void require_one_choice_of_classes(const SamplingConfig& sampling) {
  const bool given = sampling.classes != SamplingConfig().classes;
  if (given + !sampling.labels.empty() + !sampling.classes_file.empty() > 1) {
    throw ConfigError(
        "sampling.classes, sampling.labels and sampling.classes_file each say the classes. Give "
        "one of them.");
  }
}

ClassPlan plan_classes(const SamplingConfig& sampling, const TrainedModelDescription& model) {
  require_one_choice_of_classes(sampling);
  if (!sampling.labels.empty()) return ClassPlan::of_labels(sampling.labels, model.class_names);
  if (!sampling.classes_file.empty()) {
    return ClassPlan::of_file(sampling.classes_file, model.class_names);
  }
  return ClassPlan(sampling.classes, model.class_names);
}

void require_effect(const SamplingConfig& sampling, bool follows_counts) {
  const bool has_quality = sampling.format == "jpeg" || sampling.format == "webp";
  if (!has_quality && sampling.quality != SamplingConfig().quality) {
    throw ConfigError(cat("sampling.quality is of jpeg and webp; sampling.format is ",
                          sampling.format, ", which loses nothing. Leave it out."));
  }
  if (!follows_counts && !sampling.dataset.empty()) {
    throw ConfigError(
        "sampling.dataset is for sampling.classes = [\"histogram\"] alone. Leave it out.");
  }
}

/// With the default in place of ["histogram"], which is no name of a class.
SamplingConfig without_classes(SamplingConfig sampling) {
  require_one_choice_of_classes(sampling);
  sampling.classes = SamplingConfig().classes;
  return sampling;
}

/// IDDM takes a guidance of 0 for none.
void adapt_to_iddm(SamplingConfig& sampling) {
  if (sampling.convention == "iddm" && sampling.guidance == 0.0) sampling.guidance = 1.0;
}

}  // namespace

SampleRequest resolve_request(const SamplingConfig& sampling, const TrainedModelDescription& model,
                              const Schedule& schedule,
                              const std::vector<std::int64_t>& class_counts) {
  if (sampling.output.empty()) {
    throw ConfigError("sampling.output is not set. Give --output FOLDER.");
  }
  const bool follows_counts = !class_counts.empty();
  require_effect(sampling, follows_counts);
  const SamplerSettings sampler = sampler_settings(sampling, model.diffusion);
  const std::int64_t draws = draws_of(sampler, schedule);
  const ImageSize size = image_size(sampling, model.model);
  const ClassPlan cycle =
      plan_classes(follows_counts ? without_classes(sampling) : sampling, model);
  auto given = sampling.noise.empty() ? nullptr : read_noise(sampling.noise);
  const IndexRange set = which_images(sampling, cycle, given.get());
  SampleRequest request{
      .sampling = sampling,
      .sampler = sampler,
      .set = set,
      .part = parse_part(sampling.part, "sampling.part"),
      .classes = follows_counts ? ClassPlan::of_counts(class_counts, set.end) : cycle,
      .class_counts = class_counts,
      .noise = nullptr,
      .height = size.height,
      .width = size.width,
      .noise_sha256 = {}};
  adapt_to_iddm(request.sampling);
  if (!given) {
    request.noise = std::make_unique<SeededNoise>(static_cast<std::uint64_t>(sampling.seed));
    return request;
  }
  check_noise(*given, request, model.model.in_channels, draws);
  // A padded tile would be computed by other kernels than a batch of the noise alone.
  request.sampling.tile = std::min(request.sampling.tile, set.end);
  request.height = given->image_shape()[1];
  request.width = given->image_shape()[2];
  request.noise_sha256 = sha256_of_file(sampling.noise);
  request.noise = std::move(given);
  return request;
}

}  // namespace effuse
