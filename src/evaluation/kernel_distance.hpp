#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "evaluation/mean_deviation.hpp"
#include "evaluation/shared_rows.hpp"

namespace effuse {

struct KernelDistanceSettings {
  std::int64_t subsets = 100;
  std::int64_t subset_size = 1000;
  std::uint64_t seed = 0;
};

/// Which of two sets of images a subset is drawn from.
enum class SubsetOf : std::uint32_t { reference = 0, images = 1 };

/// The subset `number` of `count` images, drawn without replacement: the places of
/// settings.subset_size of them, ascending. A function of the seed, the number and the set alone.
std::vector<std::int64_t> draw_subset(const KernelDistanceSettings& settings, SubsetOf set,
                                      std::int64_t number, std::int64_t count);

/// The Kernel Inception Distance (Binkowski et al. 2018, "Demystifying MMD GANs", section 4): the
/// unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, equation 3)
/// under the kernel (x·y / D + 1)³, its mean and deviation over random subsets of both sets.
/// Unbiased, so that it may be below 0. In float64 throughout.
///
/// Collective. reference: [N, D], images: [M, D], of any float type, finite; the ranks share the
/// subsets, and a rank holds the rows of one at a time. `device` is where the communicator works.
/// The same bits at any number of ranks and threads. Throws DataError where a set has fewer images
/// than a subset, or the features are not comparable; ConfigError for subsets that cannot be.
MeanDeviation kernel_distance(const SharedRows& reference, const SharedRows& images,
                              const KernelDistanceSettings& settings, Communicator& comm,
                              at::Device device);

}  // namespace effuse
