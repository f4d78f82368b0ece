#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// dataset.json, the manifest of a packed data set, or that of a part of one. docs/formats.md
/// describes it field by field.
namespace effuse {

inline constexpr std::int64_t kShardFormatVersion = 1;

/// What every image of a data set has.
struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 0;

  std::size_t size_bytes() const;
  bool operator==(const ImageShape&) const = default;
};

/// The settings that decide the bytes of a data set, besides its images.
struct PackParameters {
  std::int64_t image_size = 0;
  std::int64_t channels = 0;
  std::string fit;
  std::int64_t shard_size_mib = 0;

  /// One line of JSON, keys in alphabetical order; its SHA-256 is the parameters' hash.
  std::string json() const;
  bool operator==(const PackParameters&) const = default;
};

/// "pack.image_size is 32 there and 64 here", one entry for each setting that differs.
std::vector<std::string> differences(const PackParameters& there, const PackParameters& here);

/// A shard that is whole: its file exists under this name, and never changes.
struct ShardEntry {
  std::string file;
  std::int64_t images = 0;
  std::uint64_t size_bytes = 0;
  std::string sha256;
  std::int64_t end_source = 0;  ///< source images [0, end_source) are in this or earlier shards,
                                ///< or unreadable

  bool operator==(const ShardEntry&) const = default;
};

/// A source image that was left out.
struct UnreadableImage {
  std::int64_t source = 0;  ///< position in the sorted list of source images
  std::string path;         ///< relative to the source folder
  std::string reason;

  bool operator==(const UnreadableImage&) const = default;
};

struct Manifest {
  bool complete = false;
  ImageShape shape;
  std::vector<std::string> classes;  ///< one, "unlabelled", where images have no classes
  PackParameters parameters;
  std::int64_t source_images = 0;  ///< image files found, unreadable ones included
  std::string source_sha256;       ///< of their relative paths and sizes
  std::vector<ShardEntry> shards;
  std::vector<UnreadableImage> unreadable;  ///< in source order

  std::int64_t image_count() const;

  /// SHA-256 over shape, classes and the checksums of all shards: what the data are.
  std::string fingerprint() const;
};

std::filesystem::path manifest_path(const std::filesystem::path& dataset);

/// Throws DataError, naming file and problem, where it is damaged or written by a later version,
/// std::system_error where it is missing.
Manifest read_manifest(const std::filesystem::path& file);

/// Of a data set: throws DataError also where the folder or its dataset.json is missing.
Manifest load_manifest(const std::filesystem::path& dataset);

/// The same, and throws DataError where packing has not finished or there are no images.
Manifest load_whole_manifest(const std::filesystem::path& dataset);

/// Atomic. Throws std::system_error.
void write_manifest(const Manifest& manifest, const std::filesystem::path& file);

/// The same, as dataset.json.
void save_manifest(const Manifest& manifest, const std::filesystem::path& dataset);

/// "shard-00012.h5".
std::string shard_file_name(std::size_t number);

}  // namespace effuse
