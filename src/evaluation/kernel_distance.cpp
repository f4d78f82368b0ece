#include "evaluation/kernel_distance.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
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

void check(const SharedRows& reference, const SharedRows& images,
           const KernelDistanceSettings& settings) {
  if (settings.subsets < 1 || settings.subset_size < 2) {
    throw ConfigError(cat("KID cannot be taken of ", settings.subsets, " subsets of ",
                          settings.subset_size,
                          " images (evaluation.kid_subsets has to be at least 1, "
                          "evaluation.kid_subset_size at least 2)"));
  }
  require_comparable(reference, images);
  require_subset(reference.count, "reference images", settings.subset_size);
  require_subset(images.count, "images", settings.subset_size);
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

std::vector<std::int64_t> draw_subset(const KernelDistanceSettings& settings, SubsetOf set,
                                      std::int64_t number, std::int64_t count) {
  RandomStream random(settings.seed, Purpose::kid_subset, static_cast<std::uint64_t>(number),
                      static_cast<std::uint32_t>(set));
  std::vector<std::int64_t> places = draw_without_replacement(random, settings.subset_size, count);
  std::sort(places.begin(), places.end());
  return places;
}

MeanDeviation kernel_distance(const SharedRows& reference, const SharedRows& images,
                              const KernelDistanceSettings& settings, Communicator& comm,
                              at::Device device) {
  check(reference, images, settings);
  const auto rows_of = [&](const SharedRows& features, SubsetOf set, std::int64_t number) {
    const auto places = draw_subset(settings, set, number, features.count);
    return features.pick(places, comm, device);
  };
  std::vector<double> distances(static_cast<std::size_t>(settings.subsets), 0.0);
  for (std::int64_t first = 0; first < settings.subsets; first += comm.world_size()) {
    const std::int64_t mine = first + comm.rank();
    at::Tensor x, y;  // of subset `mine`
    for (std::int64_t i = first; i < std::min(first + comm.world_size(), settings.subsets); ++i) {
      const at::Tensor ours = rows_of(reference, SubsetOf::reference, i);
      const at::Tensor theirs = rows_of(images, SubsetOf::images, i);
      if (i == mine) std::tie(x, y) = std::pair(ours, theirs);
    }
    if (mine >= settings.subsets) continue;
    distances[static_cast<std::size_t>(mine)] = unbiased_mmd2(x.to(at::kDouble), y.to(at::kDouble));
  }
  const at::Tensor all = sum_over_ranks(at::tensor(distances, at::kDouble), comm, device);
  return mean_deviation({all.const_data_ptr<double>(), distances.size()});
}

}  // namespace effuse
