#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hdf5/file.hpp"
#include "shards/manifest.hpp"

namespace effuse {

/// What all shards of a data set state about themselves.
struct ShardSpec {
  ImageShape shape;
  std::vector<std::string> classes;
  PackParameters parameters;
};

/// One new shard, written under a temporary name. Without finish() nothing of it remains.
/// Throws std::system_error where the disk is full (asked for in advance where the file system can
/// tell), DataError for other failures of HDF5. One thread.
class ShardWriter {
 public:
  /// For at most `capacity` images, which becomes `path`.
  ShardWriter(std::filesystem::path path, const ShardSpec& spec, std::int64_t capacity);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  /// `pixels` are [height, width, channels], `crc` their CRC-32C.
  void append(std::span<const std::uint8_t> pixels, std::int64_t label, std::uint32_t crc,
              std::string path);

  std::int64_t count() const { return static_cast<std::int64_t>(labels_.size()); }
  bool full() const { return count() == capacity_; }

  /// Flushes the shard to disk and gives it its name. Its end_source is left 0.
  ShardEntry finish();

 private:
  void create(const std::filesystem::path& temporary, std::int64_t rows);
  void flush_pixels();
  void shrink_to_count();
  void write_columns();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  ShardSpec spec_;
  std::int64_t capacity_;
  std::optional<hdf5::File> file_;
  std::optional<hdf5::Dataset> images_;  // declared after, so closed before, its file
  std::vector<std::uint8_t> pending_;    // pixels not yet written
  std::uint64_t rows_written_ = 0;
  std::vector<std::int64_t> labels_;
  std::vector<std::uint32_t> crcs_;
  std::vector<std::string> paths_;
};

}  // namespace effuse
