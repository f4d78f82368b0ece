#include "evaluation/kernel_distance.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "evaluation/block_loop.hpp"
#include "evaluation/draw.hpp"
#include "evaluation/enough_images.hpp"
#include "evaluation/feature_check.hpp"
#include "evaluation/rank_sum.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kBlockRows = 128;

void check(const at::Tensor& reference, const at::Tensor& images,
           const KernelDistanceSettings& settings) {
  if (settings.subsets < 1 || settings.subset_size < 2) {
    throw ConfigError(cat("KID cannot be taken of ", settings.subsets, " subsets of ",
                          settings.subset_size,
                          " images (evaluation.kid_subsets has to be at least 1, "
                          "evaluation.kid_subset_size at least 2)"));
  }
  require_comparable(reference, images);
  require_subset(reference.size(0), "reference images", settings.subset_size);
  require_subset(images.size(0), "images", settings.subset_size);
}

enum class Diagonal { with, without };

/// The sum of (x·y / D + 1)³ over all pairs of rows, float64 [m, D] each.
double kernel_sum(const at::Tensor& x, const at::Tensor& y, Diagonal diagonal) {
  const std::int64_t rows = x.size(0);
  const std::int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const double scale = 1.0 / static_cast<double>(x.size(1));
  std::vector<double> sums(static_cast<std::size_t>(blocks), 0.0);
  for_each_block(blocks, [&](std::int64_t block) {
    const std::int64_t first = block * kBlockRows;
    const std::int64_t last = std::min(first + kBlockRows, rows);
    const at::Tensor products = at::mm(x.slice(0, first, last), y.t());
    const double* product = products.const_data_ptr<double>();
    double sum = 0.0;
    for (std::int64_t i = first; i < last; ++i) {
      for (std::int64_t j = 0; j < rows; ++j, ++product) {
        const double base = *product * scale + 1.0;
        if (i != j || diagonal == Diagonal::with) sum += base * base * base;
      }
    }
    sums[static_cast<std::size_t>(block)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// MMD²_u of two sets of m rows.
double unbiased_mmd2(const at::Tensor& x, const at::Tensor& y) {
  const auto m = static_cast<double>(x.size(0));
  const double within = kernel_sum(x, x, Diagonal::without) + kernel_sum(y, y, Diagonal::without);
  return within / (m * (m - 1.0)) - 2.0 * kernel_sum(x, y, Diagonal::with) / (m * m);
}

}  // namespace

at::Tensor draw_subset(const KernelDistanceSettings& settings, SubsetOf set, std::int64_t number,
                       std::int64_t count) {
  RandomStream random(settings.seed, Purpose::kid_subset, static_cast<std::uint64_t>(number),
                      static_cast<std::uint32_t>(set));
  std::vector<std::int64_t> indices = draw_without_replacement(random, settings.subset_size, count);
  std::sort(indices.begin(), indices.end());
  return at::tensor(indices, at::kLong);
}

MeanDeviation kernel_distance(const at::Tensor& reference, const at::Tensor& images,
                              const KernelDistanceSettings& settings, Communicator& comm,
                              at::Device device) {
  check(reference, images, settings);
  const auto rows_of = [&](const at::Tensor& features, SubsetOf set, std::int64_t number) {
    const at::Tensor subset = draw_subset(settings, set, number, features.size(0));
    return features.index_select(0, subset).to(at::kDouble).contiguous();
  };
  const at::Tensor ours = reference.cpu();
  const at::Tensor theirs = images.cpu();
  std::vector<double> distances(static_cast<std::size_t>(settings.subsets), 0.0);
  for (std::int64_t i = comm.rank(); i < settings.subsets; i += comm.world_size()) {
    distances[static_cast<std::size_t>(i)] =
        unbiased_mmd2(rows_of(ours, SubsetOf::reference, i), rows_of(theirs, SubsetOf::images, i));
  }
  const at::Tensor all = sum_over_ranks(at::tensor(distances, at::kDouble), comm, device);
  return mean_deviation({all.const_data_ptr<double>(), distances.size()});
}

}  // namespace effuse
