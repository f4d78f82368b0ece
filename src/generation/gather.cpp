#include "generation/gather.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "comm/stop_agreement.hpp"
#include "diffusion/quantise.hpp"

namespace effuse {

at::Tensor generate_together(const TileGenerator& generator, std::int64_t images,
                             std::int64_t tile_size, Communicator& comm, at::Device device) {
  const std::int64_t tiles = (images + tile_size - 1) / tile_size;
  const std::int64_t rounds = (tiles + comm.world_size() - 1) / comm.world_size();
  std::vector<at::Tensor> parts;
  for (std::int64_t round = 0; round < rounds; ++round) {
    if (any_rank_stops(comm, device)) return {};
    // A rank without a tile in the last round computes one that is not needed, so that all gather
    // equal shapes.
    const std::int64_t number = round * comm.world_size() + comm.rank();
    const std::int64_t first = number * tile_size;
    const Tile tile{number, first, {first, first + tile_size}};
    const at::Tensor gathered = comm.all_gather(to_uint8(generator.generate(tile)).to(device));
    parts.push_back(gathered.flatten(0, 1).cpu());
  }
  return at::cat(parts).narrow(0, 0, images);
}

}  // namespace effuse
