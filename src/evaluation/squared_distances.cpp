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

std::vector<IndexRange> pieces_of(std::int64_t count, std::int64_t size) {
  std::vector<IndexRange> pieces;
  for (std::int64_t first = 0; first < count; first += size) {
    pieces.push_back({first, std::min(first + size, count)});
  }
  return pieces;
}

/// Some rows in float64, contiguous, and their squared norms.
struct Rows {
  std::int64_t first = 0;
  at::Tensor values;
  std::vector<double> norms;

  const double* row(std::size_t i) const {
    return values.const_data_ptr<double>() + static_cast<std::int64_t>(i) * values.size(1);
  }
};

Rows rows_of(const at::Tensor& features, std::int64_t first) {
  Rows rows{first, features.to(at::kDouble).contiguous(), {}};
  rows.norms.resize(static_cast<std::size_t>(features.size(0)));
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

/// Some rows as they are, fp32.
struct Block {
  std::int64_t first = 0;
  at::Tensor features;
};

/// Collective. The blocks of rows that this rank visits.
std::vector<Block> own_blocks(const SharedRows& rows, Communicator& comm, at::Device device) {
  std::vector<Block> blocks;
  for (const IndexRange& part : pieces_of(rows.count, kTileColumns)) {
    const at::Tensor features = rows.rows(part, comm, device);
    for (const IndexRange& piece : pieces_of(part.count(), kBlockRows)) {
      const std::int64_t first = part.first + piece.first;
      if (!visits_row(first, comm)) continue;
      const at::Tensor block = features.slice(0, piece.first, piece.end);
      // A copy lets go of the rows of others; alone there are none.
      blocks.push_back({first, comm.world_size() == 1 ? block : block.clone()});
    }
  }
  return blocks;
}

}  // namespace

bool visits_row(std::int64_t row, const Communicator& comm) {
  return row / kBlockRows % comm.world_size() == comm.rank();
}

void visit_squared_distances(const SharedRows& rows, const SharedRows& columns, Communicator& comm,
                             at::Device device, const DistanceVisitor& visit) {
  const std::vector<Block> blocks = own_blocks(rows, comm, device);
  for (const IndexRange& part : pieces_of(columns.count, kTileColumns)) {
    const Rows tile = rows_of(columns.rows(part, comm, device), part.first);
    for_each_block(static_cast<std::int64_t>(blocks.size()), [&](std::int64_t i) {
      const Block& block = blocks[static_cast<std::size_t>(i)];
      visit_block(rows_of(block.features, block.first), tile, visit);
    });
  }
}

}  // namespace effuse
