#include "evaluation/image_source.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "evaluation/batch_reader.hpp"
#include "evaluation/evaluation_input.hpp"
#include "image/png.hpp"
#include "npz/npz_writer.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

Image filled(int height, int width, int channels, int value) {
  Image image(height, width, channels);
  for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(value);
  return image;
}

class ImageSourceTest : public ::testing::Test {
 protected:
  std::filesystem::path put(const std::string& name, const Image& image) const {
    const std::filesystem::path file = folder_ / name;
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, encode_png(image));
    return file;
  }

  /// Images of 2 x 3 pixels whose value is their number.
  std::filesystem::path put_npz(std::int64_t count) const {
    std::vector<std::uint8_t> pixels;
    for (std::int64_t i = 0; i < count * 18; ++i) {
      pixels.push_back(static_cast<std::uint8_t>(i / 18));
    }
    NpzWriter writer(folder_ / "set.npz");
    writer.add("arr_0", {ArrayType::uint8, {count, 2, 3, 3}}, std::as_bytes(std::span(pixels)));
    writer.commit();
    return folder_ / "set.npz";
  }

  std::string refusal(const std::filesystem::path& path) const {
    return message_of<DataError>([&] {
      const auto source = open_image_source(path);
      BatchReader(*source).read(0, source->count(), source->count());
    });
  }

  TemporaryFolder folder_;
};

TEST_F(ImageSourceTest, AFolderIsReadInTheOrderOfItsNames) {
  put("set/images/00000/00000001.png", filled(4, 5, 1, 20));
  put("set/images/00000/00000000.png", filled(4, 5, 3, 10));
  put("set/grid.png", filled(9, 9, 3, 0));  // beside the images, as effuse-sample leaves it
  write_file_atomically(folder_ / "set/samples.json", R"({"complete": true})");
  const auto source = open_image_source(folder_ / "set");
  ASSERT_EQ(source->count(), 2);
  EXPECT_EQ(source->name(1), "00000/00000001");
  const at::Tensor images = BatchReader(*source).read(0, 2, 3);
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{3, 4, 5, 3}));
  EXPECT_EQ(images[0].max().item<int>(), 10);
  EXPECT_EQ(images[1].min().item<int>(), 20);
  EXPECT_TRUE(at::equal(images[1], images[2]));  // padding
}

TEST_F(ImageSourceTest, AFolderIsReadAtEveryDepth) {
  put("deep/b.png", filled(2, 3, 3, 1));
  put("deep/a/1.png", filled(2, 3, 3, 2));
  put("deep/c/d/e.png", filled(2, 3, 3, 3));
  const auto source = open_image_source(folder_ / "deep");
  ASSERT_EQ(source->count(), 3);
  EXPECT_EQ(source->name(0), "a/1");
  EXPECT_EQ(source->name(1), "b");
  EXPECT_EQ(source->name(2), "c/d/e");
}

TEST_F(ImageSourceTest, ASetOfFloatsIsNotTakenForItsGrid) {
  put("floats/grid.png", filled(9, 9, 3, 0));
  write_file_atomically(folder_ / "floats/samples.json", R"({"complete": true})");
  write_file_atomically(folder_ / "floats/images.safetensors", "");
  EXPECT_NE(refusal(folder_ / "floats").find("floats of --format safetensors"), std::string::npos);
}

TEST_F(ImageSourceTest, AnNpzFileIsReadFromAnyPlace) {
  const auto source = open_image_source(put_npz(7));
  EXPECT_EQ(source->count(), 7);
  const at::Tensor images = BatchReader(*source).read(5, 2, 2);
  EXPECT_EQ(images[0][0][0][0].item<int>(), 5);
  EXPECT_EQ(images[1][1][2][2].item<int>(), 6);
  EXPECT_EQ(BatchReader(*source).read(0, 1, 1).max().item<int>(), 0);
}

TEST_F(ImageSourceTest, SeveralAreOneAfterTheOther) {
  put("a/0.png", filled(2, 3, 3, 50));
  const EvaluationInput input =
      open_input({(folder_ / "a").string(), put_npz(2).string()}, "images");
  ASSERT_EQ(input.images->count(), 3);
  const at::Tensor images = BatchReader(*input.images).read(0, 3, 3);
  EXPECT_EQ(images[0].max().item<int>(), 50);
  EXPECT_EQ(images[2].max().item<int>(), 1);
}

TEST_F(ImageSourceTest, ImagesOfSeveralSizesAreRefused) {
  put("mixed/0.png", filled(4, 4, 3, 1));
  put("mixed/1.png", filled(4, 8, 3, 1));
  EXPECT_NE(refusal(folder_ / "mixed").find("mixed/1.png is 8x4"), std::string::npos);
}

TEST_F(ImageSourceTest, WhatIsNoSetOfImagesIsRefused) {
  EXPECT_NE(refusal(folder_ / "absent").find("does not exist"), std::string::npos);
  std::filesystem::create_directories(folder_ / "empty");
  refusal(folder_ / "empty");
}

TEST_F(ImageSourceTest, AnUnreadableImageIsNamed) {
  put("bad/0.png", filled(4, 4, 3, 1));
  std::filesystem::resize_file(folder_ / "bad/0.png", 40);
  EXPECT_NE(refusal(folder_ / "bad").find("bad/0.png cannot be read"), std::string::npos);
}

TEST_F(ImageSourceTest, ImagesWithoutPixelsAreRefused) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{4, 0, 16, 3}, {4, 16, 0, 1}, {0, 16, 16, 3}}) {
    NpzWriter writer(folder_ / "set.npz");
    writer.add("arr_0", {ArrayType::uint8, shape}, std::span<const std::byte>());
    writer.commit();
    const std::string message = refusal(folder_ / "set.npz");
    EXPECT_NE(message.find("set.npz: arr_0 is [" + std::to_string(shape[0])), std::string::npos)
        << message;
    EXPECT_NE(message.find("at least one pixel"), std::string::npos) << message;
  }
}

TEST_F(ImageSourceTest, DamagedImagesOfAnNpzFileAreRefused) {
  const std::filesystem::path file = put_npz(7);
  std::string bytes = read_file(file);
  bytes[bytes.find(std::string(18, '\5')) + 3] ^= 1;
  std::ofstream(file, std::ios::binary) << bytes;
  const std::string message = message_of<DataError>([&] { open_image_source(file); });
  EXPECT_NE(message.find("set.npz: arr_0: is damaged"), std::string::npos) << message;
  EXPECT_NE(message.find("make the file again"), std::string::npos) << message;
}

TEST_F(ImageSourceTest, AnArrayOfOtherThingsIsRefused) {
  const std::vector<std::byte> bytes(24);
  NpzWriter writer(folder_ / "set.npz");
  writer.add("arr_0", {ArrayType::fp32, {1, 1, 2, 3}}, bytes);
  writer.commit();
  EXPECT_NE(refusal(folder_ / "set.npz").find("images are uint8 [N, H, W, 1 or 3]"),
            std::string::npos);
}

}  // namespace
}  // namespace effuse
