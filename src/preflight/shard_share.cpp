#include "preflight/shard_share.hpp"

#include <chrono>

#include "core/checksum.hpp"
#include "core/text.hpp"
#include "preflight/places.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {
namespace {

constexpr std::size_t kProblemsKept = 20;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

ShardShare::ShardShare(std::filesystem::path folder, Manifest manifest, int rank, int world_size,
                       Opening opening)
    : folder_(std::move(folder)),
      manifest_(std::move(manifest)),
      rank_(static_cast<std::size_t>(rank)),
      world_size_(static_cast<std::size_t>(world_size)),
      opening_(opening),
      pixels_(manifest_.shape.size_bytes()) {}

bool ShardShare::work(double seconds) {
  const auto begin = Clock::now();
  do {
    if (shard_ == manifest_.shards.size()) return true;
    if (reader_) {
      read_image();
    } else {
      open_shard();
    }
  } while (seconds_since(begin) < seconds);
  return shard_ == manifest_.shards.size();
}

std::uint64_t ShardShare::total_bytes() const {
  std::uint64_t total = 0;
  for (std::size_t shard = 0; shard < manifest_.shards.size(); ++shard) {
    if (is_own(shard)) total += bytes_of(shard);
  }
  return total;
}

bool ShardShare::is_own(std::size_t shard) const { return shard % world_size_ == rank_; }

std::uint64_t ShardShare::bytes_of(std::size_t shard) const {
  return static_cast<std::uint64_t>(manifest_.shards[shard].images) * pixels_.size();
}

void ShardShare::open_shard() {
  const ShardEntry& entry = manifest_.shards[shard_];
  if (is_own(shard_) || opening_ == Opening::all) {
    const std::string error =
        error_of([&] { reader_.emplace(folder_ / entry.file, manifest_, entry); });
    if (!error.empty()) {
      add_problem(error);
      if (is_own(shard_)) done_bytes_ += bytes_of(shard_);
    }
  }
  if (!reader_ || !is_own(shard_) || entry.images == 0) leave_shard();
}

void ShardShare::read_image() {
  const auto begin = Clock::now();
  std::string complaint = error_of([&] { reader_->read(row_, pixels_); });
  const std::uint32_t stored = reader_->crcs()[static_cast<std::size_t>(row_)];
  if (complaint.empty()) {
    const std::uint32_t computed = crc32c(pixels_);
    if (computed != stored) {
      complaint = cat("CRC-32C ", hexadecimal(computed), ", stored ", hexadecimal(stored));
    }
  }
  if (!complaint.empty() && damaged_++ == 0) {
    first_damage_ = cat("image ", row_, " (", complaint, ")");
  }
  ++result_.images;
  result_.bytes += pixels_.size();
  done_bytes_ += pixels_.size();
  result_.seconds += seconds_since(begin);
  if (++row_ == manifest_.shards[shard_].images) leave_shard();
}

void ShardShare::leave_shard() {
  if (damaged_ > 0) {
    add_problem(cat("shard ", reader_->path().string(), " has ", damaged_,
                    damaged_ == 1 ? " damaged image, " : " damaged images, the first is ",
                    first_damage_,
                    " (it changed after packing). Copy the shard again, or pack again; "
                    "effuse-inspect --dataset ",
                    folder_.string(), " --verify names all damaged images."));
  }
  reader_.reset();
  damaged_ = 0;
  row_ = 0;
  ++shard_;
}

void ShardShare::add_problem(const std::string& problem) {
  if (result_.problems.size() < kProblemsKept) {
    result_.problems.push_back(problem);
  } else {
    ++result_.more_problems;
  }
}

}  // namespace effuse
