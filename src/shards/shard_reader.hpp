#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "shards/descriptor.hpp"
#include "shards/manifest.hpp"

namespace effuse {

/// One shard, checked against its manifest when opened. read() may be called by any number of
/// threads; opening and read_paths() use HDF5, one thread at a time.
class ShardReader {
 public:
  /// Throws DataError where the file is missing, of another size, or does not hold what `manifest`
  /// says of `entry`.
  ShardReader(std::filesystem::path path, const Manifest& manifest, const ShardEntry& entry);

  /// Pixels [height, width, channels] of image `row`, straight from the file.
  void read(std::int64_t row, std::span<std::byte> pixels) const;

  std::vector<std::string> read_paths() const;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::int64_t> labels() const { return labels_; }
  std::span<const std::uint32_t> crcs() const { return crcs_; }

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::size_t image_bytes_;
  std::uint64_t offset_ = 0;  ///< of the first pixel in the file
  std::vector<std::int64_t> labels_;
  std::vector<std::uint32_t> crcs_;
};

}  // namespace effuse
