#include "generation/tile_writer.hpp"

#include <utility>

namespace effuse {

TileWriter::TileWriter(const ImageStore& store, std::function<void(const Tile&)> written)
    : store_(store), written_(std::move(written)) {}

void TileWriter::write(const Tile& tile, const at::Tensor& images) {
  finish();
  last_ = std::async(std::launch::async, [this, tile, images] {
    store_.write(tile, images);
    written_(tile);
  });
}

void TileWriter::finish() {
  if (last_.valid()) last_.get();
}

}  // namespace effuse
