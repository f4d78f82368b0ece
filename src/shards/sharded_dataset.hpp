#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shards/manifest.hpp"
#include "shards/shard_reader.hpp"

namespace effuse {

/// A packed data set, opened for reading: images 0 … size()-1 across all shards. Every const
/// function may be called by any number of threads; open() by one thread at a time.
class ShardedDataset {
 public:
  /// An image's shard, and its place within it.
  struct Location {
    std::size_t shard = 0;
    std::int64_t row = 0;
  };

  /// Labels and checksums are read, shards kept open. Throws DataError, saying what and where,
  /// where the folder or its manifest is missing or damaged, packing has not finished, or shards
  /// (each is named) are missing, truncated or contradict the manifest.
  static ShardedDataset open(const std::filesystem::path& folder);

  std::int64_t size() const { return static_cast<std::int64_t>(labels_.size()); }
  int height() const { return manifest_.shape.height; }
  int width() const { return manifest_.shape.width; }
  int channels() const { return manifest_.shape.channels; }
  std::size_t image_bytes() const { return manifest_.shape.size_bytes(); }
  std::span<const std::string> class_names() const { return manifest_.classes; }
  int class_count() const { return static_cast<int>(manifest_.classes.size()); }

  /// SHA-256 that identifies the data: images, labels, classes, in their order.
  std::string fingerprint() const { return manifest_.fingerprint(); }

  const std::filesystem::path& folder() const { return folder_; }
  const Manifest& manifest() const { return manifest_; }

  Location location(std::int64_t index) const;
  const std::filesystem::path& shard_path(std::size_t shard) const;
  std::int64_t label(std::int64_t index) const;
  std::uint32_t stored_crc(std::int64_t index) const;

  /// Of the source image, relative to the folder that was packed. The first call for a shard reads
  /// them all.
  const std::string& path(std::int64_t index) const;

  /// Pixels as uint8 [height, width, channels] into `pixels`, image_bytes() long. By pread, without
  /// HDF5 and its lock. Throws DataError where the file cannot be read.
  void read(std::int64_t index, std::span<std::byte> pixels) const;

  /// The same, and throws DataError where the CRC-32C is not the stored one.
  void read_verified(std::int64_t index, std::span<std::byte> pixels) const;

 private:
  struct Paths;

  ShardedDataset(std::filesystem::path folder, Manifest manifest);
  void open_shards();

  std::filesystem::path folder_;
  Manifest manifest_;
  std::vector<ShardReader> shards_;
  std::vector<std::int64_t> first_index_;  // of each shard
  std::vector<std::int64_t> labels_;
  std::vector<std::uint32_t> crcs_;
  std::shared_ptr<Paths> paths_;  // shared: unique_ptr would need the full type here
};

/// "0x0ab1c2d3".
std::string hexadecimal(std::uint32_t value);

}  // namespace effuse
