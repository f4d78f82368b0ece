#include "shards/shard_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "core/files.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"
#include "shards/descriptor.hpp"

namespace effuse {
namespace {

constexpr std::size_t kWrite_bytes = std::size_t{4} << 20;

/// Asks the file system for the room that a shard will need, so that a full disk shows before an
/// hour's work and not within HDF5. File systems that cannot tell are left to fail later.
void reserve_space(const std::filesystem::path& path, std::int64_t images,
                   std::size_t image_bytes) {
  constexpr std::size_t kPerImage_bytes = 160;  // label, checksum, path
  constexpr off_t kStructure_bytes = 64 << 10;
  const Descriptor file(path, O_WRONLY);
  const auto size =
      static_cast<off_t>(static_cast<std::size_t>(images) * (image_bytes + kPerImage_bytes)) +
      kStructure_bytes;
  if (::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, size) == 0) return;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
    throw std::system_error(errno, std::generic_category(),
                            cat("cannot reserve ", human_bytes(static_cast<std::uint64_t>(size)),
                                " for ", path.string()));
  }
}

/// Gives back what was reserved beyond the end of the file.
void release_reserve(const std::filesystem::path& path) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path));
}

std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace

ShardWriter::ShardWriter(std::filesystem::path path, const ShardSpec& spec, std::int64_t capacity)
    : path_(std::move(path)),
      temporary_(temporary_sibling(path_)),
      spec_(spec),
      capacity_(capacity) {
  try {
    create(temporary_, capacity);
    reserve_space(temporary_, capacity, spec_.shape.size_bytes());
  } catch (...) {
    images_.reset();
    file_.reset();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
    throw;
  }
}

ShardWriter::~ShardWriter() {
  images_.reset();
  file_.reset();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void ShardWriter::create(const std::filesystem::path& temporary, std::int64_t rows) {
  file_ = hdf5::File::create(temporary);
  images_ =
      file_->create_dataset("images", hdf5::Element::uint8,
                            {unsigned_of(rows), unsigned_of(spec_.shape.height),
                             unsigned_of(spec_.shape.width), unsigned_of(spec_.shape.channels)});
}

void ShardWriter::append(std::span<const std::uint8_t> pixels, std::int64_t label,
                         std::uint32_t crc, std::string path) {
  pending_.insert(pending_.end(), pixels.begin(), pixels.end());
  labels_.push_back(label);
  crcs_.push_back(crc);
  paths_.push_back(std::move(path));
  if (pending_.size() >= kWrite_bytes) flush_pixels();
}

void ShardWriter::flush_pixels() {
  images_->write_rows<std::uint8_t>(rows_written_, pending_);
  rows_written_ += pending_.size() / spec_.shape.size_bytes();
  pending_.clear();
}

/// A dataset of contiguous layout has a fixed number of rows; fewer images than were expected (some
/// were unreadable) have to move into a new file.
void ShardWriter::shrink_to_count() {
  const std::filesystem::path larger = cat(temporary_.string(), ".larger");
  const TemporaryPath guard(larger);
  hdf5::Dataset from = std::move(*images_);
  hdf5::File from_file = std::move(*file_);
  std::filesystem::rename(temporary_, larger);
  create(temporary_, count());
  reserve_space(temporary_, count(), spec_.shape.size_bytes());
  const std::size_t image_bytes = spec_.shape.size_bytes();
  const std::uint64_t step = std::max<std::size_t>(1, kWrite_bytes / image_bytes);
  std::vector<std::uint8_t> rows;
  for (std::uint64_t row = 0; row < rows_written_; row += step) {
    rows.resize(std::min(step, rows_written_ - row) * image_bytes);
    from.read_rows<std::uint8_t>(row, rows);
    images_->write_rows<std::uint8_t>(row, rows);
  }
}

void ShardWriter::write_columns() {
  const std::uint64_t rows = unsigned_of(count());
  file_->create_dataset("labels", hdf5::Element::int64, {rows})
      .write_rows<std::int64_t>(0, labels_);
  file_->create_dataset("crc32c", hdf5::Element::uint32, {rows})
      .write_rows<std::uint32_t>(0, crcs_);
  file_->write_strings("paths", paths_);
  file_->set_attribute("format_version", kShardFormatVersion);
  file_->set_attribute("encoding", "raw");
  file_->set_attribute("classes", spec_.classes);
  file_->set_attribute("parameters", spec_.parameters.json());
}

ShardEntry ShardWriter::finish() {
  flush_pixels();
  if (!full()) shrink_to_count();
  write_columns();
  images_.reset();
  file_->close();
  file_.reset();
  release_reserve(temporary_);
  sync_to_disk(temporary_);
  ShardEntry entry;
  entry.file = path_.filename().string();
  entry.images = count();
  entry.size_bytes = std::filesystem::file_size(temporary_);
  entry.sha256 = sha256_of_file(temporary_);
  rename_durably(temporary_, path_);
  return entry;
}

}  // namespace effuse
