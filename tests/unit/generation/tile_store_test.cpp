#include "generation/tile_store.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "checkpoint/safetensors.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "diffusion/quantise.hpp"
#include "npz/npz_reader.hpp"
#include "shards/sharded_dataset.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

/// Images in tiles of two, of the classes 1, 0, 1, 0 …; image i is filled with i / 10.
class TileStoreTest : public testing::TestWithParam<const char*> {
 protected:
  static at::Tensor images(std::int64_t first, std::int64_t count = 2) {
    const at::Tensor values = at::arange(first, first + count, at::kFloat) / 10;
    return values.view({count, 1, 1, 1}).expand({count, 3, 4, 6}).contiguous();
  }

  std::unique_ptr<ImageStore> store(const IndexRange& set) const {
    const std::vector<std::string> names{"cat", "dog"};
    const std::vector<std::string> wanted{"dog", "cat"};
    return make_image_store(folder_.path(), {.format = GetParam(),
                                             .set = set,
                                             .tile_size = 2,
                                             .classes = ClassPlan(wanted, names),
                                             .class_names = names,
                                             .source_sha256 = std::string(64, '0')});
  }

  static void write_all(const ImageStore& store, const IndexRange& set) {
    for (const Tile& tile : tiles_of(set, 2)) store.write(tile, images(tile.first));
  }

  void make(const IndexRange& set) const {
    write_all(*store(set), set);
    store(set)->finish(tiles_of(set, 2));
  }

  /// What a reader of the format finds: uint8 [N, H, W, C].
  at::Tensor pixels() const {
    const std::string format = GetParam();
    if (format == "safetensors") {
      return to_uint8(read_safetensors(folder_ / "images.safetensors").tensors.at(0).second);
    }
    if (format == "npz") return pixels_of(NpzReader(folder_ / "images.npz"));
    const ShardedDataset dataset = ShardedDataset::open(folder_.path());
    at::Tensor all = at::empty({dataset.size(), 4, 6, 3}, at::kByte);
    auto* bytes = reinterpret_cast<std::byte*>(all.data_ptr<std::uint8_t>());
    for (std::int64_t i = 0; i < dataset.size(); ++i) {
      dataset.read_verified(i, {bytes + i * 72, 72});
    }
    return all;
  }

  static at::Tensor pixels_of(const NpzReader& reader) {
    const ArrayInfo info = reader.info("arr_0");
    EXPECT_EQ(info.type, ArrayType::uint8);
    at::Tensor all = at::empty(info.shape, at::kByte);
    reader.read("arr_0", {static_cast<std::byte*>(all.data_ptr()), all.nbytes()});
    return all;
  }

  /// The file that has the pixels.
  std::filesystem::path path_of_images() const {
    const bool is_packed = std::string(GetParam()) == "h5";
    return is_packed ? folder_ / "shard-00000.h5" : images_path(folder_.path(), GetParam());
  }

  /// Changes a byte among the pixels of an image.
  static void damage_image(const std::filesystem::path& file, std::int64_t number) {
    const at::Tensor image = images(number, 1);
    const at::Tensor pixels = to_uint8(image);
    const std::string floats(static_cast<const char*>(image.const_data_ptr()), image.nbytes());
    const std::string bytes(static_cast<const char*>(pixels.const_data_ptr()), pixels.nbytes());
    std::string contents = read_file(file);
    const bool has_floats = contents.find(floats) != std::string::npos;
    const std::size_t place = contents.find(has_floats ? floats : bytes);
    ASSERT_NE(place, std::string::npos);
    contents[place + 5] ^= 1;
    std::ofstream(file, std::ios::binary) << contents;
  }

  bool tiles_left() const { return std::filesystem::exists(folder_ / "tiles"); }

  TemporaryFolder folder_;
};

TEST_P(TileStoreTest, JoinsTheWantedImagesOfItsTiles) {
  const IndexRange set{3, 8};
  const auto made = store(set);
  EXPECT_FALSE(made->has({1, 2, {3, 4}}));
  write_all(*made, set);
  EXPECT_TRUE(made->has({1, 2, {3, 4}}));
  EXPECT_FALSE(made->has({1, 2, {2, 4}})) << "image 2 is not part of the set";
  made->finish(tiles_of(set, 2));
  EXPECT_TRUE(at::equal(pixels(), to_uint8(images(3, 5))));
  EXPECT_FALSE(tiles_left());
  EXPECT_EQ(store(set)->first(2).at(1).pixels.at(0), 179);  // 0.4 · 127.5 + 127.5 is 178.5
  EXPECT_TRUE(store(set)->has({2, 4, {4, 6}}));
}

TEST_P(TileStoreTest, TakesASetApartThatGrows) {
  make({0, 5});
  const IndexRange more{0, 8};
  const auto tiles = tiles_of(more, 2);
  store(more)->prepare(tiles);
  const auto grown = store(more);
  EXPECT_TRUE(grown->has(tiles[0]) && grown->has(tiles[1]));
  EXPECT_FALSE(grown->has(tiles[2])) << "of which one image was there";
  EXPECT_FALSE(grown->has(tiles[3]));
  grown->write(tiles[2], images(4));
  grown->write(tiles[3], images(6));
  grown->finish(tiles);
  EXPECT_TRUE(at::equal(pixels(), to_uint8(images(0, 8))));
}

TEST_P(TileStoreTest, HasTheSameBytesHoweverItCameAbout) {
  make({0, 6});
  const auto file = path_of_images();
  const std::string at_once = read_file(file);
  std::filesystem::remove_all(folder_.path());
  std::filesystem::create_directory(folder_.path());
  make({0, 2});
  store({0, 6})->prepare(tiles_of({0, 6}, 2));
  make({0, 6});
  EXPECT_EQ(read_file(file), at_once);
}

TEST_P(TileStoreTest, TakesADamagedTileForAbsent) {
  const IndexRange set{0, 5};
  const auto made = store(set);
  write_all(*made, set);
  const auto file = folder_ / "tiles/00000001.safetensors";
  ASSERT_TRUE(std::filesystem::exists(file));
  std::filesystem::resize_file(file, 50);
  EXPECT_TRUE(made->has({0, 0, {0, 2}}));
  EXPECT_FALSE(made->has({1, 2, {2, 4}}));
  EXPECT_THROW(made->finish(tiles_of(set, 2)), DataError);
  EXPECT_FALSE(std::filesystem::exists(images_path(folder_.path(), GetParam())));
}

TEST_P(TileStoreTest, TakesADamagedFileForAbsent) {
  make({0, 4});
  std::filesystem::resize_file(images_path(folder_.path(), GetParam()), 100);
  EXPECT_FALSE(store({0, 4})->has({0, 0, {0, 2}}));
  make({0, 4});
  EXPECT_TRUE(at::equal(pixels(), to_uint8(images(0, 4))));
}

TEST_P(TileStoreTest, CompletesASetThatWasKilledWhileItsTilesWereRemoved) {
  const IndexRange set{0, 6};
  make(set);
  store(set)->write(tiles_of(set, 2)[1], images(2));
  store(set)->finish(tiles_of(set, 2));
  EXPECT_FALSE(tiles_left());
  EXPECT_TRUE(at::equal(pixels(), to_uint8(images(0, 6))));
}

TEST_P(TileStoreTest, MakesAgainWhatHasAFlippedByte) {
  const IndexRange set{0, 4};
  make(set);
  const auto file = path_of_images();
  const std::string whole = read_file(file);
  damage_image(file, 1);
  store(set)->prepare(tiles_of(set, 2));
  const auto again = store(set);
  EXPECT_FALSE(again->has({0, 0, {0, 2}}));
  make(set);
  EXPECT_EQ(read_file(file), whole);
}

TEST_P(TileStoreTest, TakesATileWithAFlippedByteForAbsent) {
  const auto made = store({0, 4});
  write_all(*made, {0, 4});
  damage_image(folder_ / "tiles/00000000.safetensors", 1);
  EXPECT_FALSE(made->has({0, 0, {0, 2}}));
  EXPECT_TRUE(made->has({1, 2, {2, 4}}));
}

TEST_P(TileStoreTest, RemovesWhatKilledWritersOfItsTilesLeft) {
  std::filesystem::create_directory(folder_ / "tiles");
  const auto own = folder_ / "tiles/.00000001.safetensors.tmp-815";
  const auto of_another_part = folder_ / "tiles/.00000002.safetensors.tmp-815";
  std::ofstream(own) << "half";
  std::ofstream(of_another_part) << "half";
  store({0, 8})->prepare(tiles_of({0, 4}, 2));
  EXPECT_FALSE(std::filesystem::exists(own));
  EXPECT_TRUE(std::filesystem::exists(of_another_part));
}

INSTANTIATE_TEST_SUITE_P(Formats, TileStoreTest, testing::Values("safetensors", "npz", "h5"),
                         [](const auto& tested) { return std::string(tested.param); });

class ShardStoreTest : public TileStoreTest {};

TEST_P(ShardStoreTest, MendsADamagedImageAndKeepsTheOthers) {
  const IndexRange set{0, 6};
  const auto tiles = tiles_of(set, 2);
  make(set);
  damage_image(path_of_images(), 2);
  const auto mended = store(set);
  EXPECT_TRUE(mended->has(tiles[0]) && mended->has(tiles[2]));
  EXPECT_FALSE(mended->has(tiles[1]));
  mended->write(tiles[1], images(2));
  store(set)->finish(tiles);
  EXPECT_FALSE(tiles_left());
  EXPECT_TRUE(at::equal(pixels(), to_uint8(images(0, 6))));
}

INSTANTIATE_TEST_SUITE_P(Formats, ShardStoreTest, testing::Values("h5"));

TEST(ShardFiles, AreADataSetLabelledByClass) {
  const TemporaryFolder folder;
  const std::vector<std::string> names{"cat", "dog"};
  const std::vector<std::string> wanted{"dog", "cat"};
  const StoreSettings settings{.format = "h5",
                               .set = {3, 6},
                               .tile_size = 4,
                               .classes = ClassPlan(wanted, names),
                               .class_names = names,
                               .source_sha256 = "abc"};
  const auto store = make_image_store(folder.path(), settings);
  const auto tiles = tiles_of(settings.set, 4);
  for (const Tile& tile : tiles) store->write(tile, at::zeros({4, 1, 8, 8}));
  store->finish(tiles);
  const ShardedDataset dataset = ShardedDataset::open(folder.path());
  EXPECT_EQ(dataset.channels(), 1);
  EXPECT_EQ(dataset.label(0), 0) << "image 3";
  EXPECT_EQ(dataset.label(1), 1) << "image 4";
  EXPECT_EQ(dataset.path(2), "00000005");
  EXPECT_EQ(dataset.manifest().source_sha256, "abc");
}

}  // namespace
}  // namespace effuse
