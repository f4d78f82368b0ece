#include "generation/tile_generator.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <numeric>
#include <vector>

#include "models/network.hpp"
#include "models/precision.hpp"

namespace effuse {

TileGenerator::TileGenerator(Network& network, const Schedule& schedule, const ClassPlan& classes,
                             const NoiseSource& noise, const GenerationSettings& settings,
                             at::Device device)
    : network_(network),
      schedule_(schedule),
      classes_(classes),
      noise_(noise),
      settings_(settings),
      device_(device) {}

Denoiser TileGenerator::make_denoiser(const at::Tensor& labels) const {
  const at::ScalarType type = network_.parameters().front().scalar_type();
  const NoiseModel model = [this, type](const at::Tensor& x, const at::Tensor& t,
                                        const at::Tensor& y) {
    return network_.forward(x.to(type), t, y).to(at::kFloat);
  };
  return guided(model, labels, network_.null_class(), settings_.guidance,
                repeats_iddm() ? GuidanceBatch::separate : GuidanceBatch::doubled);
}

at::Tensor TileGenerator::generate(const Tile& tile, const StopWanted& stop_wanted) const {
  const at::NoGradGuard no_grad;
  const ComputePrecision precision(settings_.compute, device_);
  network_.eval();
  network_.use_kernels(repeats_iddm() ? Kernels::iddm : Kernels::fused);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(settings_.tile_size));
  std::iota(indices.begin(), indices.end(), tile.first);

  at::Tensor labels;
  if (classes_.conditional()) {
    std::vector<std::int64_t> classes;
    for (const std::int64_t index : indices) classes.push_back(classes_.label(index));
    labels = at::tensor(classes, at::kLong).to(device_);
  }
  const std::vector<std::int64_t> shape{network_.traits().channels, settings_.height,
                                        settings_.width};
  const StepNoise noise = [&](std::int64_t step) {
    return noise_.step(indices, shape, step).to(device_);
  };
  const at::Tensor x = sample(settings_.sampler, schedule_, make_denoiser(labels),
                              noise_.initial(indices, shape).to(device_), noise, stop_wanted);
  return x.defined() ? x.cpu() : at::Tensor();
}

}  // namespace effuse
