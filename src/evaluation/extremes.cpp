#include "evaluation/extremes.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string>

#include "core/random.hpp"
#include "evaluation/draw.hpp"
#include "evaluation/rank_sum.hpp"
#include "evaluation/squared_distances.hpp"
#include "image/grid.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kColumns = 4;

/// Collective. Squared, of all images, float64 [N].
at::Tensor distances_to_nearest(const SharedRows& images, const SharedRows& reference,
                                Communicator& comm, at::Device device) {
  constexpr double far = std::numeric_limits<double>::max();
  at::Tensor nearest = at::empty({images.count}, at::kDouble);
  auto* values = nearest.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < images.count; ++i) values[i] = visits_row(i, comm) ? far : 0.0;
  visit_squared_distances(images, reference, comm, device,
                          [&](std::int64_t row, std::int64_t, std::span<const double> distances) {
                            const double least =
                                *std::min_element(distances.begin(), distances.end());
                            values[row] = std::min(values[row], least);
                          });
  return sum_over_ranks(nearest, comm, device);
}

/// What distances are taken to.
SharedRows features_or_mean(const Side& reference, const Communicator& comm) {
  if (reference.pooled.defined()) return reference.pooled;
  return share_rows(reference.gaussian.mean.to(at::kFloat).unsqueeze(0), 1, comm);
}

std::vector<std::int64_t> as_numbers(const at::Tensor& order) {
  const at::Tensor plain = order.contiguous();
  const auto* begin = plain.const_data_ptr<std::int64_t>();
  return {begin, begin + plain.numel()};
}

}  // namespace

Extremes find_extremes(const Side& images, const Side& reference, std::int64_t number,
                       std::uint64_t seed, Communicator& comm, at::Device device) {
  const at::Tensor distances =
      distances_to_nearest(images.pooled, features_or_mean(reference, comm), comm, device);
  const at::Tensor order = distances.argsort(/*stable=*/true, 0, /*descending=*/false);
  const std::int64_t count = std::min(number, images.pooled.count);
  RandomStream random(seed, Purpose::picture, 0);
  return {.nearest = as_numbers(order.narrow(0, 0, count)),
          .farthest = as_numbers(order.narrow(0, order.size(0) - count, count).flip(0)),
          .random = draw_without_replacement(random, count, images.pooled.count)};
}

Image picture_of(const Extremes& extremes, const ImageSource& source) {
  const std::vector<std::int64_t>* groups[] = {&extremes.nearest, &extremes.random,
                                               &extremes.farthest};
  const auto count = static_cast<std::int64_t>(extremes.nearest.size());
  const std::int64_t rows = (count + kColumns - 1) / kColumns;
  std::vector<Image> cells;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const auto* group : groups) {
      if (group != groups[0]) cells.emplace_back();  // a gap between the groups
      for (std::int64_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
        cells.push_back(i < count ? source.image((*group)[static_cast<std::size_t>(i)]) : Image());
      }
    }
  }
  std::vector<std::string> labels;
  for (const char* name : {"nearest", "random", "farthest"}) {
    if (!labels.empty()) labels.emplace_back();
    labels.emplace_back(name);
    labels.resize(labels.size() + kColumns - 1);
  }
  return make_grid(cells, static_cast<int>(labels.size()), labels);
}

}  // namespace effuse
