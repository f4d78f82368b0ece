#include "generation/tile_store.hpp"

#include <algorithm>
#include <utility>

#include "checkpoint/safetensors.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/zero_padded.hpp"
#include "generation/image_files.hpp"
#include "generation/leftovers.hpp"
#include "generation/safetensors_images.hpp"

namespace effuse {

TileStore::TileStore(std::filesystem::path folder, const IndexRange& set, std::int64_t tile_size,
                     std::unique_ptr<SetFile> file)
    : folder_(std::move(folder)),
      set_(set),
      tile_size_(tile_size),
      file_(std::move(file)),
      found_(file_->count()) {}

std::filesystem::path TileStore::tile_file(std::int64_t number) const {
  return folder_ / "tiles" / (zero_padded(number, 8) + ".safetensors");
}

void TileStore::prepare(std::span<const Tile> tiles) {
  if (!tiles.empty()) {
    remove_leftovers(folder_ / "tiles", tiles.front().number, tiles.back().number + 1);
  }
  if (found_ > 0 && !file_->is_intact()) {
    file_->remove();
    found_ = 0;
  }
  if (found_ != 0 && found_ != set_.count()) take_apart();
}

at::Tensor TileStore::in_file(const Tile& tile) const {
  return file_->read(tile.wanted.first - set_.first, tile.wanted.count());
}

void TileStore::take_apart() {
  for (const Tile& tile : tiles_of({set_.first, set_.first + found_}, tile_size_)) {
    if (std::filesystem::exists(tile_file(tile.number))) continue;
    const at::Tensor images = in_file(tile);
    if (images.defined()) write_images(tile_file(tile.number), images);
  }
  file_->remove();
  found_ = 0;
}

at::Tensor TileStore::find(const Tile& tile) const {
  const at::Tensor own = images_in(tile_file(tile.number));
  if (own.defined() && own.size(0) == tile.wanted.count()) return own;
  return is_in_file(tile) ? in_file(tile) : at::Tensor();
}

bool TileStore::has(const Tile& tile) const { return find(tile).defined(); }

bool TileStore::seems_there(const Tile& tile) const {
  return is_in_file(tile) || std::filesystem::exists(tile_file(tile.number));
}

void TileStore::write(const Tile& tile, const at::Tensor& images) const {
  write_images(tile_file(tile.number),
               file_->kept(images.narrow(0, tile.skipped(), tile.wanted.count())));
}

void TileStore::finish(std::span<const Tile> tiles) {
  const std::filesystem::path parts = folder_ / "tiles";
  if (found_ == set_.count() && std::filesystem::exists(parts)) {
    // Of a job that was killed while it removed them, or made again for what is damaged.
    const bool is_whole =
        std::ranges::all_of(tiles, [&](const Tile& tile) { return in_file(tile).defined(); });
    if (!is_whole) take_apart();
  }
  if (found_ != set_.count()) write_file(tiles);
  std::filesystem::remove_all(parts);
}

void TileStore::write_file(std::span<const Tile> tiles) const {
  auto tile = tiles.begin();
  file_->write(set_.count(), [&] {
    at::Tensor images = find(*tile);
    if (!images.defined()) {
      throw DataError(tile_file(tile->number).string() +
                      " is missing (was it removed meanwhile?). The same command makes it again.");
    }
    ++tile;
    return images;
  });
}

std::vector<Image> TileStore::first(std::int64_t count) const {
  return images_of(file_->pixels(file_->read(0, count)));
}

}  // namespace effuse
