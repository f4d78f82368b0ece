#include "generation/tile_store.hpp"

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
  if (found_ == 0 || found_ == set_.count()) return;
  for (const Tile& tile : tiles_of({set_.first, set_.first + found_}, tile_size_)) {
    if (std::filesystem::exists(tile_file(tile.number))) continue;
    const at::Tensor images = file_->read(tile.wanted.first - set_.first, tile.wanted.count());
    if (images.defined()) write_images(tile_file(tile.number), images);
  }
  file_->remove();
  found_ = 0;
}

at::Tensor TileStore::find(const Tile& tile) const {
  const at::Tensor own = images_in(tile_file(tile.number));
  if (own.defined() && own.size(0) == tile.wanted.count()) return own;
  if (!is_in_file(tile)) return {};
  return file_->read(tile.wanted.first - set_.first, tile.wanted.count());
}

bool TileStore::has(const Tile& tile) const { return find(tile).defined(); }

bool TileStore::seems_there(const Tile& tile) const {
  return is_in_file(tile) || std::filesystem::exists(tile_file(tile.number));
}

void TileStore::write(const Tile& tile, const at::Tensor& images) const {
  write_images(tile_file(tile.number),
               file_->kept(images.narrow(0, tile.skipped(), tile.wanted.count())));
}

void TileStore::finish(std::span<const Tile> tiles) const {
  if (found_ == set_.count() && !std::filesystem::exists(folder_ / "tiles")) return;
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
  std::filesystem::remove_all(folder_ / "tiles");
}

std::vector<Image> TileStore::first(std::int64_t count) const {
  return images_of(file_->pixels(file_->read(0, count)));
}

}  // namespace effuse
