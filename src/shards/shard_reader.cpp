#include "shards/shard_reader.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "hdf5/file.hpp"

namespace effuse {
namespace {

constexpr const char* kAdvice = " Copy the shard again, or pack the data set again.";

Descriptor open_checked(const std::filesystem::path& path, const ShardEntry& entry) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    throw DataError(cat("shard ", path.string(), " cannot be found: ", error.message(),
                        " (dataset.json lists it with ", entry.images, " images).", kAdvice));
  }
  if (size != entry.size_bytes) {
    throw DataError(cat("shard ", path.string(), " has ", size, " bytes instead of ",
                        entry.size_bytes, " (it is truncated or was changed after packing).",
                        kAdvice));
  }
  try {
    return {path, O_RDONLY};
  } catch (const std::system_error& failure) {
    throw DataError(cat("shard ", path.string(), " cannot be opened: ", failure.code().message(),
                        failure.code().value() == EMFILE
                            ? ". Raise ulimit -n, or pack with a larger --shard-size-mib."
                            : ""));
  }
}

void check_rows(const std::filesystem::path& path, const hdf5::Dataset& dataset,
                const std::vector<std::uint64_t>& expected, const char* name) {
  if (dataset.shape() == expected) return;
  std::string found;
  for (const std::uint64_t extent : dataset.shape()) found += cat(found.empty() ? "" : "x", extent);
  throw DataError(cat("shard ", path.string(), " does not hold what dataset.json says: /", name,
                      " is ", found, ", with ", expected.front(), " images expected.", kAdvice));
}

}  // namespace

ShardReader::ShardReader(std::filesystem::path path, const Manifest& manifest,
                         const ShardEntry& entry)
    : path_(std::move(path)),
      file_(open_checked(path_, entry)),
      image_bytes_(manifest.shape.size_bytes()) {
  const auto count = static_cast<std::uint64_t>(entry.images);
  const hdf5::File file = hdf5::File::open(path_);
  if (const std::int64_t version = file.integer_attribute("format_version");
      version != kShardFormatVersion) {
    throw DataError(cat("shard ", path_.string(), " has format ", version,
                        ", this program reads format ", kShardFormatVersion, "."));
  }
  const hdf5::Dataset images = file.open_dataset("images");
  const ImageShape& shape = manifest.shape;
  check_rows(path_, images,
             {count, static_cast<std::uint64_t>(shape.height),
              static_cast<std::uint64_t>(shape.width), static_cast<std::uint64_t>(shape.channels)},
             "images");
  images.expect(hdf5::Element::uint8);
  offset_ = images.file_offset();
  const hdf5::Dataset labels = file.open_dataset("labels");
  const hdf5::Dataset crcs = file.open_dataset("crc32c");
  check_rows(path_, labels, {count}, "labels");
  check_rows(path_, crcs, {count}, "crc32c");
  labels_ = labels.read_all<std::int64_t>();
  crcs_ = crcs.read_all<std::uint32_t>();
  const auto classes = static_cast<std::int64_t>(manifest.classes.size());
  for (const std::int64_t label : labels_) {
    if (label >= 0 && label < classes) continue;
    throw DataError(cat("shard ", path_.string(), " has an image of class ", label, "; there are ",
                        classes, " classes.", kAdvice));
  }
}

void ShardReader::read(std::int64_t row, std::span<std::byte> pixels) const {
  auto place = static_cast<off_t>(offset_ + static_cast<std::uint64_t>(row) * image_bytes_);
  std::span<std::byte> rest = pixels.first(image_bytes_);
  while (!rest.empty()) {
    const ssize_t got = ::pread(file_.get(), rest.data(), rest.size(), place);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw DataError(cat("image ", row, " of shard ", path_.string(), " cannot be read: ",
                          got < 0 ? std::generic_category().message(errno) : "the file ends early",
                          ".", kAdvice));
    }
    rest = rest.subspan(static_cast<std::size_t>(got));
    place += got;
  }
}

std::vector<std::string> ShardReader::read_paths() const {
  std::vector<std::string> paths = hdf5::File::open(path_).read_strings("paths");
  if (paths.size() != labels_.size()) {
    throw DataError(cat("shard ", path_.string(), " has ", paths.size(), " paths for ",
                        labels_.size(), " images.", kAdvice));
  }
  return paths;
}

}  // namespace effuse
