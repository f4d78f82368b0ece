#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "comm/communicator.hpp"
#include "evaluation/shared_rows.hpp"

namespace effuse {

/// Takes squared distances of `row` to the columns from `first_column` on.
using DistanceVisitor =
    std::function<void(std::int64_t row, std::int64_t first_column, std::span<const double>)>;

/// Whether a rank visits the distances of a row: every rank has every world_size-th block of 128.
bool visits_row(std::int64_t row, const Communicator& comm);

/// Collective. Squared Euclidean distances of rows [N, D] to columns [M, D], fp32, in float64, each
/// rank those of its rows: those of a row in ascending order of columns, different rows on
/// different threads at once. A distance has the same bits at any number of ranks and threads. ‖x‖²
/// + ‖y‖² - 2 x·y where that loses no digits that fp32 features have, else the sum of squared
/// differences, which is 0 for equal features. The columns come by and are let go: a rank holds N /
/// world_size rows, and for D = 2,048 scratch of 24 MB and 3 MB a thread. `device` is where the
/// communicator works.
void visit_squared_distances(const SharedRows& rows, const SharedRows& columns, Communicator& comm,
                             at::Device device, const DistanceVisitor& visit);

}  // namespace effuse
