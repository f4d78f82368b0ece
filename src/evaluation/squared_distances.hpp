#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>

namespace effuse {

/// A rank's rows of a table of distances: every `world_size`-th block of 128 rows.
struct RowShare {
  int rank = 0;
  int world_size = 1;
};

/// Takes squared distances of `row` to the columns from `first_column` on.
using DistanceVisitor =
    std::function<void(std::int64_t row, std::int64_t first_column, std::span<const double>)>;

/// Squared Euclidean distances of rows [N, D] to columns [M, D], fp32 on the CPU, in float64: those
/// of a row in ascending order of columns, different rows on different threads at once. A distance
/// has the same bits at any number of ranks and threads. ‖x‖² + ‖y‖² - 2 x·y where that loses no
/// digits that fp32 features have, else the sum of squared differences, which is 0 for equal
/// features. Scratch: 1,024 columns, and for each thread 128 rows, both in float64, and their
/// products: 16 MB and 3 MB a thread for D = 2,048.
void visit_squared_distances(const at::Tensor& rows, const at::Tensor& columns,
                             const RowShare& share, const DistanceVisitor& visit);

}  // namespace effuse
