#include "training/timestep_losses.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/text.hpp"

namespace effuse {

void TimestepLosses::add(const double* sums, const double* counts) {
  for (std::size_t i = 0; i < kRanges; ++i) {
    sums_[i] += sums[i];
    counts_[i] += counts[i];
  }
}

void TimestepLosses::add(const TimestepLosses& other) {
  add(other.sums_.data(), other.counts_.data());
}

std::array<std::optional<double>, TimestepLosses::kRanges> TimestepLosses::means() const {
  std::array<std::optional<double>, kRanges> means;
  for (std::size_t i = 0; i < kRanges; ++i) {
    if (counts_[i] > 0) means[i] = sums_[i] / counts_[i];
  }
  return means;
}

namespace {

/// Of contiguous tensors on the CPU, where a dozen small operations take longer than the numbers.
at::Tensor sum_on_cpu(const at::Tensor& losses, const at::Tensor& t, std::int64_t timesteps) {
  constexpr auto kRanges = static_cast<std::int64_t>(TimestepLosses::kRanges);
  at::Tensor result = at::zeros({2 * kRanges}, at::kDouble);
  auto* numbers = result.mutable_data_ptr<double>();
  const auto* loss = losses.const_data_ptr<double>();
  const auto* time = t.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    const std::int64_t range = time[i] * kRanges / timesteps;
    numbers[range] += loss[i];
    numbers[kRanges + range] += 1.0;
  }
  return result;
}

}  // namespace

at::Tensor sum_by_timestep(const at::Tensor& losses, const at::Tensor& t, std::int64_t timesteps) {
  if (losses.is_cpu()) {
    return sum_on_cpu(losses.to(at::kDouble).contiguous(), t.contiguous(), timesteps);
  }
  return sum_by_products(losses, t, timesteps);
}

at::Tensor sum_by_products(const at::Tensor& losses, const at::Tensor& t, std::int64_t timesteps) {
  constexpr auto kRanges = static_cast<std::int64_t>(TimestepLosses::kRanges);
  const at::Tensor loss = losses.to(at::kDouble);
  const at::Tensor range = t.mul(kRanges).div_(timesteps, "floor");
  // A product rather than index_add_, whose order of summation on a GPU differs from run to run.
  const at::Tensor member =
      range.unsqueeze(1).eq(at::arange(kRanges, range.options())).to(at::kDouble);
  return at::stack({loss, at::ones_like(loss)}).matmul(member).flatten();
}

std::vector<std::string> timestep_ranges(std::int64_t timesteps) {
  constexpr auto kRanges = static_cast<std::int64_t>(TimestepLosses::kRanges);
  const auto first = [&](std::int64_t range) {
    return (range * timesteps + kRanges - 1) / kRanges;
  };
  std::vector<std::string> names;
  for (std::int64_t range = 0; range < kRanges; ++range) {
    const std::int64_t last = std::max(first(range), first(range + 1) - 1);
    names.push_back(cat(first(range), "-", last));
  }
  return names;
}

}  // namespace effuse
