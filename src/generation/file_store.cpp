#include "generation/file_store.hpp"

#include "core/error.hpp"
#include "core/files.hpp"
#include "diffusion/quantise.hpp"
#include "generation/leftovers.hpp"
#include "image/decode.hpp"

namespace effuse {
namespace {

/// Whether `holds` is true of every wanted image.
template <class Predicate>
bool all_wanted(const Tile& tile, const Predicate& holds) {
  for (std::int64_t i = tile.wanted.first; i < tile.wanted.end; ++i) {
    if (!holds(i)) return false;
  }
  return true;
}

}  // namespace

void FileStore::prepare(std::span<const Tile> tiles) {
  if (tiles.empty()) return;
  const IndexRange range{tiles.front().wanted.first, tiles.back().wanted.end};
  for (std::int64_t folder = range.first / 1000; folder * 1000 < range.end; ++folder) {
    remove_leftovers(file(folder * 1000).parent_path(), range.first, range.end);
  }
}

bool FileStore::has(const Tile& tile) const {
  return all_wanted(tile, [this](std::int64_t i) { return has_whole_image(file(i)); });
}

bool FileStore::seems_there(const Tile& tile) const {
  return all_wanted(tile, [this](std::int64_t i) { return std::filesystem::exists(file(i)); });
}

void FileStore::write(const Tile& tile, const at::Tensor& images) const {
  const at::Tensor pixels = to_uint8(images);
  for (std::int64_t i = tile.wanted.first; i < tile.wanted.end; ++i) {
    write_image(file(i), image_at(pixels, i - tile.first), codec_);
  }
}

void FileStore::finish(std::span<const Tile> tiles) {
  for (const Tile& tile : tiles) {
    if (seems_there(tile)) continue;
    throw DataError(file(tile.wanted.first).string() +
                    " or one after it is missing (was it removed meanwhile?). The same command "
                    "makes it again.");
  }
}

std::vector<Image> FileStore::first(std::int64_t count) const {
  std::vector<Image> result;
  for (std::int64_t i = first_; i < first_ + count; ++i) {
    const std::string bytes = read_file(file(i));
    result.push_back(decode_image(std::as_bytes(std::span(bytes))));
  }
  return result;
}

}  // namespace effuse
