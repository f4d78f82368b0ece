#include "evaluation/squared_distances.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "evaluation/block_loop.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kBlockRows = 128;
constexpr std::int64_t kTileColumns = 1024;
/// Of ‖x‖² + ‖y‖². Above it, 1e-16 of rounding leaves 8 digits of a distance; below it, fp32
/// features themselves leave 3.
constexpr double kCancels = 1e-8;

/// Some rows in float64, contiguous, and their squared norms.
struct Rows {
  std::int64_t first = 0;
  at::Tensor values;
  std::vector<double> norms;

  const double* row(std::size_t i) const {
    return values.const_data_ptr<double>() + static_cast<std::int64_t>(i) * values.size(1);
  }
};

Rows rows_of(const at::Tensor& features, std::int64_t first, std::int64_t count) {
  const std::int64_t last = std::min(first + count, features.size(0));
  Rows rows{first, features.slice(0, first, last).to(at::kDouble).contiguous(), {}};
  rows.norms.resize(static_cast<std::size_t>(last - first));
  for (std::size_t i = 0; i < rows.norms.size(); ++i) {
    const double* value = rows.row(i);
    for (std::int64_t d = 0; d < features.size(1); ++d) rows.norms[i] += value[d] * value[d];
  }
  return rows;
}

double summed_differences(const double* x, const double* y, std::int64_t dimensions) {
  double sum = 0.0;
  for (std::int64_t d = 0; d < dimensions; ++d) sum += (x[d] - y[d]) * (x[d] - y[d]);
  return sum;
}

void visit_block(const Rows& block, const Rows& tile, const DistanceVisitor& visit) {
  at::Tensor table = at::mm(block.values, tile.values.t());
  double* distances = table.mutable_data_ptr<double>();
  const std::size_t columns = tile.norms.size();
  for (std::size_t i = 0; i < block.norms.size(); ++i, distances += columns) {
    for (std::size_t j = 0; j < columns; ++j) {
      const double norms = block.norms[i] + tile.norms[j];
      distances[j] = norms - 2.0 * distances[j];
      if (distances[j] >= kCancels * norms) continue;
      distances[j] = summed_differences(block.row(i), tile.row(j), block.values.size(1));
    }
    visit(block.first + static_cast<std::int64_t>(i), tile.first, {distances, columns});
  }
}

}  // namespace

void visit_squared_distances(const at::Tensor& rows, const at::Tensor& columns,
                             const RowShare& share, const DistanceVisitor& visit) {
  const std::int64_t blocks = (rows.size(0) + kBlockRows - 1) / kBlockRows;
  const std::int64_t own = (blocks - share.rank + share.world_size - 1) / share.world_size;
  for (std::int64_t first = 0; first < columns.size(0); first += kTileColumns) {
    const Rows tile = rows_of(columns, first, kTileColumns);
    for_each_block(own, [&](std::int64_t i) {
      const std::int64_t block = share.rank + i * share.world_size;
      visit_block(rows_of(rows, block * kBlockRows, kBlockRows), tile, visit);
    });
  }
}

}  // namespace effuse
