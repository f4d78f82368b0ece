#include "generation/tile_generator.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <numeric>
#include <utility>

#include "generation/recorded_step.hpp"
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
      device_(device),
      model_(network_model()) {}

TileGenerator TileGenerator::with_tile(std::int64_t tile_size) const {
  GenerationSettings settings = settings_;
  settings.tile_size = tile_size;
  settings.records_steps = false;
  return {network_, schedule_, classes_, noise_, settings, device_};
}

NoiseModel TileGenerator::network_model() const {
  Network* const network = &network_;
  const at::ScalarType type = network->parameters().front().scalar_type();
  NoiseModel model = [network, type](const at::Tensor& x, const at::Tensor& t,
                                     const at::Tensor& y) {
    return network->forward(x.to(type), t, y).to(at::kFloat);
  };
  return settings_.records_steps && device_.is_cuda() ? recorded(std::move(model)) : model;
}

Denoiser TileGenerator::make_denoiser(const at::Tensor& labels) const {
  return guided(model_, labels, network_.null_class(), settings_.guidance,
                repeats_iddm() ? GuidanceBatch::separate : GuidanceBatch::doubled);
}

at::Tensor TileGenerator::labels_of(std::span<const std::int64_t> images) const {
  if (!classes_.conditional()) return {};
  std::vector<std::int64_t> classes;
  for (const std::int64_t image : images) classes.push_back(classes_.label(image));
  return at::tensor(classes, at::kLong).to(device_);
}

std::vector<std::int64_t> TileGenerator::image_shape() const {
  return {network_.traits().channels, settings_.height, settings_.width};
}

at::Tensor TileGenerator::generate(const Tile& tile, const StopWanted& stop_wanted) const {
  const at::NoGradGuard no_grad;
  const ComputePrecision precision(settings_.compute, device_);
  network_.eval();
  network_.use_kernels(repeats_iddm() ? Kernels::iddm : Kernels::fused);
  std::vector<std::int64_t> images(static_cast<std::size_t>(settings_.tile_size));
  std::iota(images.begin(), images.end(), tile.first);
  const std::vector<std::int64_t> shape = image_shape();
  // Copied to a GPU from pinned memory the noise of a step does not make the host wait.
  const StepNoise noise = [&](std::int64_t step) {
    const at::Tensor drawn = noise_.step(images, shape, step);
    if (!device_.is_cuda()) return drawn;
    return drawn.pin_memory().to(device_, /*non_blocking=*/true);
  };
  const at::Tensor x = sample(settings_.sampler, schedule_, make_denoiser(labels_of(images)),
                              noise_.initial(images, shape).to(device_), noise, stop_wanted);
  return x.defined() ? x.cpu() : at::Tensor();
}

void TileGenerator::try_step() const {
  const at::NoGradGuard no_grad;
  const ComputePrecision precision(settings_.compute, device_);
  network_.eval();
  network_.use_kernels(repeats_iddm() ? Kernels::iddm : Kernels::fused);
  std::vector<std::int64_t> shape = image_shape();
  shape.insert(shape.begin(), settings_.tile_size);
  const std::vector<std::int64_t> images(static_cast<std::size_t>(settings_.tile_size), 0);
  make_denoiser(labels_of(images))(at::zeros(shape, device_), 0).cpu();
}

}  // namespace effuse
