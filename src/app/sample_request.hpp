#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/trained_model.hpp"
#include "config/config.hpp"
#include "diffusion/sampler_settings.hpp"
#include "diffusion/schedule.hpp"
#include "generation/class_plan.hpp"
#include "generation/noise_source.hpp"
#include "generation/tiles.hpp"

namespace effuse {

/// What [sampling] asks of one model, with everything resolved that the configuration leaves open.
struct SampleRequest {
  SamplingConfig sampling;
  SamplerSettings sampler;
  IndexRange set;
  Part part;
  ClassPlan classes;
  std::vector<std::int64_t> class_counts;  ///< what the classes follow; empty: they cycle
  std::unique_ptr<NoiseSource> noise;
  std::int64_t height = 0, width = 0;  ///< of the images, in pixels
  std::string noise_sha256;            ///< of the noise file; empty: drawn from the seed

  /// Those of the whole set.
  std::vector<Tile> tiles() const { return tiles_of(set, sampling.tile); }
};

/// Reads the noise file, if there is one. class_counts: training_histogram(). Throws ConfigError
/// naming the key for what contradicts itself or the model.
SampleRequest resolve_request(const SamplingConfig& sampling, const TrainedModelDescription& model,
                              const Schedule& schedule,
                              const std::vector<std::int64_t>& class_counts);

}  // namespace effuse
