#include "shards/sharded_dataset.hpp"

#include <algorithm>
#include <iomanip>
#include <mutex>
#include <sstream>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

/// Source paths by shard, each list read once and then left alone.
struct ShardedDataset::Paths {
  std::mutex mutex;
  std::vector<std::vector<std::string>> of_shard;
};

ShardedDataset::ShardedDataset(std::filesystem::path folder, Manifest manifest)
    : folder_(std::move(folder)),
      manifest_(std::move(manifest)),
      paths_(std::make_shared<Paths>()) {
  open_shards();
  for (const ShardReader& shard : shards_) {
    first_index_.push_back(size());
    labels_.insert(labels_.end(), shard.labels().begin(), shard.labels().end());
    crcs_.insert(crcs_.end(), shard.crcs().begin(), shard.crcs().end());
  }
  paths_->of_shard.resize(shards_.size());
}

void ShardedDataset::open_shards() {
  constexpr std::size_t kListed = 20;
  std::vector<std::string> problems;
  for (const ShardEntry& entry : manifest_.shards) {
    try {
      shards_.emplace_back(folder_ / entry.file, manifest_, entry);
    } catch (const DataError& error) {
      problems.emplace_back(error.what());
    }
  }
  if (problems.empty()) return;
  if (problems.size() == 1) throw DataError(problems.front());
  std::string list;
  for (std::size_t i = 0; i < std::min(kListed, problems.size()); ++i) {
    list += cat("\n  ", problems[i]);
  }
  if (problems.size() > kListed) list += cat("\n  and ", problems.size() - kListed, " more");
  throw DataError(cat(problems.size(), " of ", manifest_.shards.size(), " shards in ",
                      folder_.string(), " cannot be used:", list));
}

ShardedDataset ShardedDataset::open(const std::filesystem::path& folder) {
  return {folder, load_whole_manifest(folder)};
}

ShardedDataset::Location ShardedDataset::location(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw DataError(
        cat("there is no image ", index, " in ", folder_.string(), ", which holds ", size()));
  }
  const auto after = std::upper_bound(first_index_.begin(), first_index_.end(), index);
  return {static_cast<std::size_t>(after - first_index_.begin() - 1), index - *(after - 1)};
}

const std::filesystem::path& ShardedDataset::shard_path(std::size_t shard) const {
  return shards_.at(shard).path();
}

std::int64_t ShardedDataset::label(std::int64_t index) const {
  return labels_.at(static_cast<std::size_t>(index));
}

std::uint32_t ShardedDataset::stored_crc(std::int64_t index) const {
  return crcs_.at(static_cast<std::size_t>(index));
}

const std::string& ShardedDataset::path(std::int64_t index) const {
  const Location place = location(index);
  const std::lock_guard lock(paths_->mutex);
  std::vector<std::string>& paths = paths_->of_shard[place.shard];
  if (paths.empty()) paths = shards_[place.shard].read_paths();
  return paths[static_cast<std::size_t>(place.row)];
}

void ShardedDataset::read(std::int64_t index, std::span<std::byte> pixels) const {
  const Location place = location(index);
  shards_[place.shard].read(place.row, pixels);
}

void ShardedDataset::read_verified(std::int64_t index, std::span<std::byte> pixels) const {
  read(index, pixels);
  const std::uint32_t computed = crc32c(pixels.first(image_bytes()));
  if (computed == stored_crc(index)) return;
  const Location place = location(index);
  throw DataError(cat("image ", place.row, " of shard ", shard_path(place.shard).string(),
                      " (from ", path(index), ") is damaged: its CRC-32C is ",
                      hexadecimal(computed), " and ", hexadecimal(stored_crc(index)),
                      " was stored (the file changed after packing). Copy the shard again or pack ",
                      "again; effuse-inspect --dataset ", folder_.string(),
                      " --verify names all damaged images."));
}

std::string hexadecimal(std::uint32_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << std::setw(8) << std::setfill('0') << value;
  return std::move(out).str();
}

}  // namespace effuse
