#include "evaluation/shared_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "evaluation/rank_share.hpp"
#include "evaluation/rank_sum.hpp"

namespace effuse {
namespace {

/// `rows` of zeros in the form of a table's.
at::Tensor zero_rows(const SharedRows& table, std::int64_t rows) {
  std::vector<std::int64_t> shape = table.mine.sizes().vec();
  shape[0] = rows;
  return at::zeros(shape, table.mine.options());
}

}  // namespace

IndexRange SharedRows::range(const Communicator& comm) const {
  return range_of_rank(count, tile, comm.rank(), comm.world_size());
}

at::Tensor SharedRows::rows(const IndexRange& wanted, Communicator& comm, at::Device device) const {
  if (comm.world_size() == 1) return mine.slice(0, wanted.first, wanted.end);
  const IndexRange own = range(comm);
  const at::Tensor found = zero_rows(*this, wanted.count());
  const std::int64_t first = std::max(wanted.first, own.first);
  const std::int64_t end = std::min(wanted.end, own.end);
  if (first < end) {
    found.slice(0, first - wanted.first, end - wanted.first)
        .copy_(mine.slice(0, first - own.first, end - own.first));
  }
  return sum_over_ranks(found, comm, device);
}

at::Tensor SharedRows::pick(std::span<const std::int64_t> places, Communicator& comm,
                            at::Device device) const {
  const IndexRange own = range(comm);
  const at::Tensor found = zero_rows(*this, static_cast<std::int64_t>(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < own.first || places[i] >= own.end) continue;
    found[static_cast<std::int64_t>(i)].copy_(mine[places[i] - own.first]);
  }
  return sum_over_ranks(found, comm, device);
}

SharedRows share_rows(const at::Tensor& table, std::int64_t tile, const Communicator& comm) {
  SharedRows shared{table, table.size(0), tile};
  const IndexRange own = shared.range(comm);
  shared.mine = table.slice(0, own.first, own.end);
  return shared;
}

}  // namespace effuse
