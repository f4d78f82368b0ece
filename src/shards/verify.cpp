#include "shards/verify.hpp"

#include <set>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::string path_or_reason(const ShardedDataset& dataset, std::int64_t index) {
  try {
    return dataset.path(index);
  } catch (const DataError&) {
    return "path unreadable";
  }
}

/// Empty where the image is sound.
std::string complaint_about(const ShardedDataset& dataset, std::int64_t index,
                            std::vector<std::byte>& pixels) {
  try {
    dataset.read(index, pixels);
  } catch (const DataError& error) {
    return error.what();
  }
  const std::uint32_t computed = crc32c(pixels);
  const std::uint32_t stored = dataset.stored_crc(index);
  if (computed == stored) return "";
  return cat("CRC-32C ", hexadecimal(computed), ", stored ", hexadecimal(stored));
}

}  // namespace

VerifyReport verify(const ShardedDataset& dataset, ProgressStyle style) {
  VerifyReport report;
  Progress progress({.task = "verify",
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(dataset.size()),
                     .style = style});
  std::vector<std::byte> pixels(dataset.image_bytes());
  std::set<std::string> damaged_shards;
  for (std::int64_t index = 0; index < dataset.size(); ++index) {
    const std::string complaint = complaint_about(dataset, index, pixels);
    if (!complaint.empty()) {
      const auto place = dataset.location(index);
      const std::string& file = dataset.manifest().shards[place.shard].file;
      damaged_shards.insert(file);
      report.damaged.push_back({file, place.row, path_or_reason(dataset, index), complaint});
    }
    progress.update(static_cast<std::uint64_t>(++report.images));
  }
  for (std::size_t shard = 0; shard < dataset.manifest().shards.size(); ++shard) {
    const ShardEntry& entry = dataset.manifest().shards[shard];
    if (!damaged_shards.contains(entry.file) &&
        sha256_of_file(dataset.shard_path(shard)) != entry.sha256) {
      report.changed_shards.push_back(entry.file);
    }
  }
  return report;
}

}  // namespace effuse
