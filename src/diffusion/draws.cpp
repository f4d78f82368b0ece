#include "diffusion/draws.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::uint64_t position_at(std::span<const std::int64_t> positions, std::int64_t i) {
  return static_cast<std::uint64_t>(positions[static_cast<std::size_t>(i)]);
}

/// Fills each row of `out`, [N, …] fp32, with standard normal numbers of its position.
void fill_noise(const at::Tensor& out, std::uint64_t seed, Purpose purpose,
                std::span<const std::int64_t> positions, std::uint32_t draw) {
  const auto count = static_cast<std::int64_t>(positions.size());
  if (count == 0) return;
  const std::int64_t image_size = out.numel() / count;
  float* const values = out.data_ptr<float>();
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      RandomStream(seed, purpose, position_at(positions, i), draw)
          .fill_normal({values + i * image_size, static_cast<std::size_t>(image_size)});
    }
  });
}

/// [N, …image_shape] fp32 on the CPU, not filled.
at::Tensor empty_images(std::size_t count, at::IntArrayRef image_shape, bool pinned) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(count)};
  shape.insert(shape.end(), image_shape.begin(), image_shape.end());
  return at::empty(shape, at::TensorOptions(at::kFloat).pinned_memory(pinned));
}

/// Memory from which a GPU copies while the host goes on.
at::TensorOptions source_options(const TrainingDrawSettings& settings) {
  return at::TensorOptions(at::kLong).pinned_memory(settings.device.is_cuda());
}

at::Tensor draw_time_steps(const TrainingDrawSettings& settings,
                           std::span<const std::int64_t> positions) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(positions.size())}, source_options(settings));
  auto* const values = t.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    values[i] =
        RandomStream(settings.seed, Purpose::time_step, static_cast<std::uint64_t>(positions[i]))
            .below(static_cast<std::uint32_t>(settings.timesteps));
  }
  return t;
}

at::Tensor drop_labels(const TrainingDrawSettings& settings,
                       std::span<const std::int64_t> positions, const at::Tensor& labels) {
  if (labels.numel() != static_cast<std::int64_t>(positions.size())) {
    throw ConfigError(cat("a batch of ", positions.size(), " images came with ", labels.numel(),
                          " labels; there must be one for each"));
  }
  at::Tensor kept = at::empty(labels.sizes(), source_options(settings)).copy_(labels);
  if (settings.label_drop == 0.0) return kept;
  if (settings.null_class < 0) {
    throw ConfigError(cat("diffusion.label_drop is ", settings.label_drop,
                          " but the network has no null class to put in a label's place; set "
                          "diffusion.label_drop = 0, or give model.num_class_embeds one more row"));
  }
  auto* const values = kept.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    RandomStream stream(settings.seed, Purpose::label_drop,
                        static_cast<std::uint64_t>(positions[i]));
    if (stream.uniform() < settings.label_drop) values[i] = settings.null_class;
  }
  return kept;
}

}  // namespace

TrainingDraws draw_for_training(const TrainingDrawSettings& settings,
                                std::span<const std::int64_t> positions,
                                at::IntArrayRef image_shape, const at::Tensor& labels) {
  RECORD_USER_SCOPE("effuse::draws");
  TrainingDraws draws;
  const auto to_device = [&](const at::Tensor& tensor) {
    return tensor.to(settings.device, /*non_blocking=*/true);
  };
  draws.t = to_device(draw_time_steps(settings, positions));
  const at::Tensor noise = empty_images(positions.size(), image_shape, settings.device.is_cuda());
  fill_noise(noise, settings.seed, Purpose::noise, positions, 0);
  draws.noise = to_device(noise);
  if (labels.defined()) draws.labels = to_device(drop_labels(settings, positions, labels));
  return draws;
}

at::Tensor initial_noise(std::uint64_t seed, std::span<const std::int64_t> image_indices,
                         at::IntArrayRef image_shape) {
  at::Tensor noise = empty_images(image_indices.size(), image_shape, false);
  fill_noise(noise, seed, Purpose::initial_noise, image_indices, 0);
  return noise;
}

at::Tensor step_noise(std::uint64_t seed, std::span<const std::int64_t> image_indices,
                      at::IntArrayRef image_shape, std::int64_t step) {
  at::Tensor noise = empty_images(image_indices.size(), image_shape, false);
  fill_noise(noise, seed, Purpose::step_noise, image_indices, static_cast<std::uint32_t>(step));
  return noise;
}

}  // namespace effuse
