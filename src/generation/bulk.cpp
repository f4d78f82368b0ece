#include "generation/bulk.hpp"

#include <ATen/ATen.h>

#include <exception>
#include <numeric>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/stop.hpp"
#include "generation/memory_advice.hpp"
#include "generation/tile_writer.hpp"

namespace effuse {
namespace {

/// Collective. The tiles that are not there; the ranks share the looking. A rank that is asked to
/// stop looks no further.
std::vector<Tile> missing_tiles(const std::vector<Tile>& tiles, const ImageStore& store,
                                Communicator& comm) {
  const at::Tensor missing = at::zeros({static_cast<std::int64_t>(tiles.size())}, at::kByte);
  auto* const flags = missing.data_ptr<std::uint8_t>();
  const auto step = static_cast<std::size_t>(comm.world_size());
  agree(comm, [&] {
    for (auto i = static_cast<std::size_t>(comm.rank()); i < tiles.size(); i += step) {
      flags[i] = stop_signal() != 0 || !store.has(tiles[i]) ? 1 : 0;
    }
  });
  comm.all_reduce(missing, ReduceOp::max);
  std::vector<Tile> found;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (flags[i] != 0) found.push_back(tiles[i]);
  }
  return found;
}

std::int64_t images_in(const std::vector<Tile>& tiles) {
  return std::accumulate(
      tiles.begin(), tiles.end(), std::int64_t{0},
      [](std::int64_t sum, const Tile& tile) { return sum + tile.wanted.count(); });
}

void make_tiles(const TileGenerator& generator, const ImageStore& store,
                const std::vector<Tile>& tiles, RankProgress& progress) {
  TileWriter writer(store, [&](const Tile& tile) { progress.made(tile.wanted.count()); });
  for (const Tile& tile : tiles) {
    if (progress.should_stop()) break;
    const at::Tensor images = with_memory_advice(generator, [&] {
      return generator.generate(tile, [&] { return progress.should_stop(); });
    });
    if (!images.defined()) break;  // stopped: made when the set is continued
    writer.write(tile, images);
  }
  writer.finish();
}

}  // namespace

BulkEnd generate_in_bulk(const TileGenerator& generator, const BulkTask& task,
                         const ImageStore& store, Communicator& comm) {
  const std::vector<Tile> missing = missing_tiles(task.tiles, store, comm);
  const std::int64_t total = images_in(task.tiles);
  const std::int64_t found = total - images_in(missing);
  RankProgress progress(comm, task.patience_s, [&](const RankProgress::Totals& totals) {
    if (task.report) task.report({found + totals.images, total, totals.images, totals.tiles});
  });
  std::exception_ptr failure;
  try {
    make_tiles(generator, store, tiles_of_rank(missing, comm.rank(), comm.world_size()), progress);
  } catch (const CommError&) {
    throw;
  } catch (...) {
    failure = std::current_exception();
  }
  using RankEnd = RankProgress::RankEnd;
  const auto totals = progress.finish(failure ? RankEnd::failed : RankEnd::done);
  agree(comm, [&] {
    if (failure) std::rethrow_exception(failure);
  });
  const bool all_made = totals.tiles == static_cast<std::int64_t>(missing.size());
  return all_made ? BulkEnd::finished : BulkEnd::stopped;
}

}  // namespace effuse
