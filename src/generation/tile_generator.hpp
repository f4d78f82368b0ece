#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffusion/sampler.hpp"
#include "diffusion/schedule.hpp"
#include "generation/class_plan.hpp"
#include "generation/noise_source.hpp"
#include "generation/tiles.hpp"

namespace effuse {

class Network;

/// What, besides weights, noise and image number, an image depends on.
struct GenerationSettings {
  SamplerSettings sampler;
  double guidance = 1.0;
  std::int64_t tile_size = 16;
  std::int64_t height = 0, width = 0;  ///< of the images, in pixels
  std::string compute = "fp32";        ///< of autocast: "fp32" is none
  bool records_steps = false;          ///< on a GPU: see recorded()
};

/// Computes tiles of images with one network.
class TileGenerator {
 public:
  /// Everything referred to must outlive this. One thread at a time. `network`, of any float type,
  /// is put into evaluation mode for each tile.
  TileGenerator(Network& network, const Schedule& schedule, const ClassPlan& classes,
                const NoiseSource& noise, const GenerationSettings& settings, at::Device device);

  /// All images of the tile, padding included, before quantisation: fp32 [tile_size, C, H, W] on
  /// the CPU. Undefined where `stop_wanted`, asked between denoising steps, ended it.
  at::Tensor generate(const Tile& tile, const StopWanted& stop_wanted = {}) const;

  /// Makes one denoising step, of a tile's shape, for nothing: to see whether it can be made.
  void try_step() const;

  /// The same with another tile.
  TileGenerator with_tile(std::int64_t tile_size) const;

  const GenerationSettings& settings() const { return settings_; }

  /// Of one image: [C, H, W].
  std::vector<std::int64_t> image_shape() const;

 private:
  bool repeats_iddm() const { return settings_.sampler.convention == Convention::iddm; }
  at::Tensor labels_of(std::span<const std::int64_t> images) const;
  Denoiser make_denoiser(const at::Tensor& labels) const;
  NoiseModel network_model() const;

  Network& network_;
  const Schedule& schedule_;
  const ClassPlan& classes_;
  const NoiseSource& noise_;
  GenerationSettings settings_;
  at::Device device_;
  NoiseModel model_;
};

}  // namespace effuse
