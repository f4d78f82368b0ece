#include "evaluation/rank_share.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace effuse {

IndexRange range_of_rank(std::int64_t count, std::int64_t tile, int rank, int world_size) {
  const std::int64_t tiles = (count + tile - 1) / tile;
  const auto begin_of = [&](int r) { return std::min(count, tiles * r / world_size * tile); };
  return {begin_of(rank), begin_of(rank + 1)};
}

std::int64_t most_tiles_of_a_rank(std::int64_t count, std::int64_t tile, int world_size) {
  const std::int64_t tiles = (count + tile - 1) / tile;
  return (tiles + world_size - 1) / world_size;
}

at::Tensor SharedRows::gather(Communicator& comm, at::Device device) const {
  std::vector<std::int64_t> shape = mine.sizes().vec();
  shape[0] = most_tiles_of_a_rank(count, tile, comm.world_size()) * tile;
  const at::Tensor padded = at::zeros(shape, mine.options().device(device));
  padded.narrow(0, 0, mine.size(0)).copy_(mine);
  const at::Tensor all = comm.all_gather(padded).cpu();
  std::vector<at::Tensor> parts;
  for (int rank = 0; rank < comm.world_size(); ++rank) {
    const IndexRange range = range_of_rank(count, tile, rank, comm.world_size());
    parts.push_back(all[rank].narrow(0, 0, range.count()));
  }
  return at::cat(parts);
}

}  // namespace effuse
