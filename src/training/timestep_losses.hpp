#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace effuse {

/// Losses by the time step that was drawn, in ranges of equal size: diffusion models go wrong at
/// some noise levels while the mean over all looks well (Nichol and Dhariwal 2021, figure 2).
class TimestepLosses {
 public:
  static constexpr std::size_t kRanges = 10;

  /// Adds one step's `sums` of losses and `counts` of images, kRanges numbers each.
  void add(const double* sums, const double* counts);
  void add(const TimestepLosses& other);

  /// By range; empty where no image drew from it.
  std::array<std::optional<double>, kRanges> means() const;

 private:
  std::array<double, kRanges> sums_{}, counts_{};
};

/// What add() takes, of images with `losses` [N] at time steps `t` [N] int64 of `timesteps`:
/// 2·kRanges numbers, float64, on their device: sums, then counts.
at::Tensor sum_by_timestep(const at::Tensor& losses, const at::Tensor& t, std::int64_t timesteps);

/// The same by operations on tensors, as sum_by_timestep() does it on a GPU.
at::Tensor sum_by_products(const at::Tensor& losses, const at::Tensor& t, std::int64_t timesteps);

/// "100-199": the time steps of each range.
std::vector<std::string> timestep_ranges(std::int64_t timesteps);

}  // namespace effuse
