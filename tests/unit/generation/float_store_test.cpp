#include "generation/float_store.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "checkpoint/safetensors.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

/// Five images in tiles of two; image i is filled with i / 10.
class FloatStoreTest : public testing::Test {
 protected:
  at::Tensor images(std::int64_t first) const {
    const at::Tensor values = at::arange(first, first + 2, at::kFloat) / 10;
    return values.view({2, 1, 1, 1}).expand({2, 3, 4, 4}).contiguous();
  }

  void write_all(const FloatStore& store) const {
    for (const Tile& tile : tiles_of_rank(5, 2, 0, 1)) store.write(tile, images(tile.first));
  }

  at::Tensor set() const {
    return read_safetensors(folder_ / "images.safetensors").tensors.at(0).second;
  }

  bool tiles_left() const { return std::filesystem::exists(folder_ / "tiles"); }

  TemporaryFolder folder_;
};

TEST_F(FloatStoreTest, JoinsTheWantedImagesOfItsTiles) {
  const FloatStore store(folder_.path());
  EXPECT_FALSE(store.has({0, 0, 2}));
  write_all(store);
  EXPECT_TRUE(store.has({2, 4, 1}));
  store.finish(5, 2);
  EXPECT_TRUE(at::equal(set(), at::cat({images(0), images(2), images(4)}).narrow(0, 0, 5)));
  EXPECT_FALSE(tiles_left());
  EXPECT_EQ(store.first(1).at(0).pixels.at(0), 128);  // 0 between black and white
}

TEST_F(FloatStoreTest, KeepsWhatWasMadeBefore) {
  write_all(FloatStore(folder_.path()));
  FloatStore(folder_.path()).finish(5, 2);
  const FloatStore more(folder_.path());
  EXPECT_TRUE(more.has({0, 0, 2}));
  EXPECT_FALSE(more.has({2, 4, 2}));
  more.write({2, 4, 2}, images(4));
  more.finish(6, 2);
  EXPECT_TRUE(at::equal(set(), at::cat({images(0), images(2), images(4)})));
}

TEST_F(FloatStoreTest, TakesADamagedTileForAbsent) {
  const FloatStore store(folder_.path());
  write_all(store);
  const auto file = folder_ / "tiles/00000001.safetensors";
  ASSERT_TRUE(std::filesystem::exists(file));
  std::filesystem::resize_file(file, 50);
  EXPECT_TRUE(store.has({0, 0, 2}));
  EXPECT_FALSE(store.has({1, 2, 2}));
  EXPECT_THROW(store.finish(5, 2), DataError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "images.safetensors"));
}

}  // namespace
}  // namespace effuse
