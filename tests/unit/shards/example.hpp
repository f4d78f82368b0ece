#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/checksum.hpp"
#include "core/files.hpp"
#include "image/png.hpp"
#include "shards/manifest.hpp"
#include "shards/shard_writer.hpp"

namespace effuse {

inline constexpr int kSide = 4;
inline constexpr std::int64_t kShardRows = 5;

/// Image `number`: 4x4 RGB, every byte its own.
inline std::vector<std::uint8_t> example_pixels(std::int64_t number) {
  std::vector<std::uint8_t> pixels(kSide * kSide * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(number) * 7 + i);
  }
  return pixels;
}

/// A data set of `images` images in shards of five, labels alternating between two classes.
inline Manifest write_example_dataset(const std::filesystem::path& folder, std::int64_t images) {
  Manifest manifest;
  manifest.shape = {kSide, kSide, 3};
  manifest.classes = {"cat", "dog"};
  manifest.parameters = {kSide, 3, "crop", 1};
  manifest.source_images = images;
  manifest.source_sha256 = "none";
  for (std::int64_t first = 0; first < images; first += kShardRows) {
    ShardWriter writer(folder / shard_file_name(manifest.shards.size()),
                       {manifest.shape, manifest.classes, manifest.parameters}, kShardRows);
    for (std::int64_t i = first; i < std::min(first + kShardRows, images); ++i) {
      const std::vector<std::uint8_t> pixels = example_pixels(i);
      writer.append(pixels, i % 2, crc32c(std::as_bytes(std::span(pixels))),
                    "cat/" + std::to_string(i) + ".png");
    }
    manifest.shards.push_back(writer.finish());
    manifest.shards.back().end_source = std::min(first + kShardRows, images);
  }
  manifest.complete = true;
  save_manifest(manifest, folder);
  return manifest;
}

inline void flip_byte(const std::filesystem::path& path, std::size_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 1));
}

/// Where the bytes of image `number` begin in the file.
inline std::size_t offset_of(const std::filesystem::path& path, std::int64_t number) {
  const std::vector<std::uint8_t> pixels = example_pixels(number);
  return read_file(path).find(std::string(pixels.begin(), pixels.end()));
}

inline void write_image(const std::filesystem::path& path, int side, std::uint8_t value) {
  std::filesystem::create_directories(path.parent_path());
  Image image(side, side, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(value + i);
  }
  std::ofstream(path, std::ios::binary) << encode_png(image);
}

inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The message of the error that `function` throws as an `Expected`.
template <class Expected, class Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const Expected& error) {
    return error.what();
  }
  return "nothing of this kind was thrown";
}

}  // namespace effuse
