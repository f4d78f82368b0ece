#include "evaluation/manifold.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/feature_check.hpp"
#include "evaluation/rank_sum.hpp"
#include "evaluation/squared_distances.hpp"

namespace effuse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The ranks, between which rows are shared.
struct Ranks {
  Communicator& comm;
  at::Device device;

  void visit(const SharedRows& rows, const SharedRows& columns, const DistanceVisitor& take) const {
    visit_squared_distances(rows, columns, comm, device, take);
  }
};

void require_neighbours(std::int64_t k, const char* metric, const char* key) {
  if (k < 1) throw ConfigError(cat(key, " is ", k, ", but ", metric, " need a neighbour"));
}

void check(const ManifoldSettings& settings) {
  require_neighbours(settings.neighbours, "precision and recall", "evaluation.neighbours");
  require_neighbours(settings.density_neighbours, "density and coverage",
                     "evaluation.density_neighbours");
}

/// Keeps `nearest`, ascending, the smallest of what it has seen.
void insert_into(std::span<double> nearest, double distance) {
  if (distance >= nearest.back()) return;
  std::size_t place = nearest.size() - 1;
  for (; place > 0 && nearest[place - 1] > distance; --place) nearest[place] = nearest[place - 1];
  nearest[place] = distance;
}

using Radii = std::vector<double>;

/// For each k, the squared distances of all features to their k-th neighbours among themselves. An
/// image is its own neighbour 0.
template <std::size_t count>
std::array<Radii, count> squared_radii(const SharedRows& features,
                                       const std::array<std::int64_t, count>& ks,
                                       const Ranks& ranks) {
  const auto images = static_cast<std::size_t>(features.count);
  const auto kept = static_cast<std::size_t>(*std::max_element(ks.begin(), ks.end())) + 1;
  std::vector<double> nearest(images * kept, kInfinity);
  ranks.visit(features, features,
              [&](std::int64_t row, std::int64_t, std::span<const double> distances) {
                const auto image = static_cast<std::size_t>(row);
                const std::span<double> list(nearest.data() + image * kept, kept);
                for (const double distance : distances) insert_into(list, distance);
              });
  std::array<Radii, count> radii;
  for (std::size_t i = 0; i < count; ++i) {
    at::Tensor part = at::zeros({features.count}, at::kDouble);
    for (std::size_t image = 0; image < images; ++image) {
      if (!visits_row(static_cast<std::int64_t>(image), ranks.comm)) continue;
      part.mutable_data_ptr<double>()[image] =
          nearest[image * kept + static_cast<std::size_t>(ks[i])];
    }
    const at::Tensor all = sum_over_ranks(part, ranks.comm, ranks.device);
    radii[i].assign(all.const_data_ptr<double>(), all.const_data_ptr<double>() + images);
  }
  return radii;
}

/// What is counted over the images of all ranks.
struct Counts {
  std::int64_t precise = 0;   ///< images within balls
  std::int64_t recalled = 0;  ///< reference images within balls
  std::int64_t dense = 0;     ///< pairs of an image and a ball that it is inside of
  std::int64_t covered = 0;   ///< balls of the reference with an image inside
};

/// Adds to precise and dense.
void count_images(const SharedRows& reference, const SharedRows& images, const Radii& precision,
                  const Radii& density, const Ranks& ranks, Counts& counts) {
  std::vector<char> within(static_cast<std::size_t>(images.count), 0);
  std::atomic<std::int64_t> dense = 0;
  ranks.visit(images, reference,
              [&](std::int64_t row, std::int64_t first, std::span<const double> distances) {
                char& found = within[static_cast<std::size_t>(row)];
                std::int64_t inside = 0;
                for (std::size_t i = 0; i < distances.size(); ++i) {
                  const std::size_t ball = static_cast<std::size_t>(first) + i;
                  if (distances[i] <= precision[ball]) found = 1;
                  if (distances[i] < density[ball]) ++inside;
                }
                dense += inside;
              });
  counts.precise += std::count(within.begin(), within.end(), 1);
  counts.dense += dense;
}

/// Adds to recalled and covered.
void count_reference(const SharedRows& reference, const SharedRows& images, const Radii& recall,
                     const Radii& density, const Ranks& ranks, Counts& counts) {
  std::vector<char> within(static_cast<std::size_t>(reference.count), 0);
  std::vector<char> covered(within.size(), 0);
  ranks.visit(reference, images,
              [&](std::int64_t row, std::int64_t first, std::span<const double> distances) {
                const auto image = static_cast<std::size_t>(row);
                for (std::size_t i = 0; i < distances.size(); ++i) {
                  if (distances[i] <= recall[static_cast<std::size_t>(first) + i])
                    within[image] = 1;
                  if (distances[i] < density[image]) covered[image] = 1;
                }
              });
  counts.recalled += std::count(within.begin(), within.end(), 1);
  counts.covered += std::count(covered.begin(), covered.end(), 1);
}

}  // namespace

ManifoldScores manifold_scores(const SharedRows& reference, const SharedRows& images,
                               const ManifoldSettings& settings, Communicator& comm,
                               at::Device device) {
  check(settings);
  require_comparable(reference, images);
  const Ranks ranks{comm, device};
  const auto [precision, density] =
      squared_radii<2>(reference, {settings.neighbours, settings.density_neighbours}, ranks);
  const auto [recall] = squared_radii<1>(images, {settings.neighbours}, ranks);
  Counts counts;
  count_images(reference, images, precision, density, ranks, counts);
  count_reference(reference, images, recall, density, ranks, counts);
  const at::Tensor all = sum_over_ranks(
      at::tensor({counts.precise, counts.recalled, counts.dense, counts.covered}, at::kLong), comm,
      device);
  const auto n = static_cast<double>(reference.count);
  const auto m = static_cast<double>(images.count);
  const auto total = [&](std::int64_t i) {
    return static_cast<double>(all.const_data_ptr<std::int64_t>()[i]);
  };
  return {total(0) / m, total(1) / n,
          total(2) / (static_cast<double>(settings.density_neighbours) * m), total(3) / n};
}

}  // namespace effuse
