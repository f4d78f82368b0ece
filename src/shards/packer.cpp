#include "shards/packer.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/ordered_workers.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "image/decode.hpp"
#include "shards/output_folder.hpp"
#include "shards/quarantine.hpp"
#include "shards/shard_writer.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

/// A source image as it will lie in the shard, or why it cannot.
struct PreparedImage {
  std::vector<std::uint8_t> pixels;
  std::uint32_t crc = 0;
  std::string problem;
};
using Block = std::vector<PreparedImage>;

/// The bytes of an image file. Throws DataError where there is no plain file: reading a pipe would
/// wait for ever.
std::string read_image_file(const fs::path& path) {
  if (fs::is_symlink(path) && !fs::exists(path)) {
    throw DataError(
        cat("a link to ", valid_utf8(fs::read_symlink(path).string()), ", which is not there"));
  }
  if (!fs::is_regular_file(path)) throw DataError("not a regular file");
  return read_file(path);
}

PreparedImage prepare(const PackPlan& plan, const SourceImage& source) {
  PreparedImage prepared;
  try {
    const std::string file = read_image_file(plan.source.folder / source.path);
    prepared.pixels =
        fit_image(decode_image(std::as_bytes(std::span(file)), plan.target), plan.target).pixels;
    prepared.crc = crc32c(std::as_bytes(std::span(prepared.pixels)));
  } catch (const DataError& error) {
    prepared.problem = error.what();
  } catch (const std::system_error& error) {
    prepared.problem = error.code().message();
  }
  return prepared;
}

/// Small images are handed over many at a time, large ones alone.
std::int64_t block_size_for(const PackPlan& plan) {
  constexpr std::size_t kBlock_bytes = std::size_t{256} << 10;
  return static_cast<std::int64_t>(
      std::clamp<std::size_t>(kBlock_bytes / plan.spec.shape.size_bytes(), 1, 64));
}

class Packer {
 public:
  Packer(const PackPlan& plan, Manifest manifest, ProgressStyle style)
      : plan_(plan),
        manifest_(std::move(manifest)),
        next_source_(manifest_.shards.empty() ? 0 : manifest_.shards.back().end_source),
        first_source_(next_source_),
        block_size_(block_size_for(plan)),
        progress_({.task = "pack",
                   .unit = "images",
                   .total = plan.source.images.size(),
                   .start = static_cast<std::uint64_t>(next_source_),
                   .style = style}) {}

  PackOutcome run() {
    PackOutcome outcome;
    outcome.images_before = manifest_.image_count();
    const std::int64_t blocks = (source_count() - first_source_ + block_size_ - 1) / block_size_;
    OrderedWorkers<Block> workers(plan_.workers, blocks, 4 * plan_.workers,
                                  [this](std::int64_t block) { return prepare_block(block); });
    for (std::int64_t block = 0; block < blocks; ++block) {
      if (stop_signal() != 0) {
        outcome.result = PackResult::stopped;
        outcome.manifest = manifest_;
        return outcome;
      }
      for (PreparedImage& image : workers.next()) take(std::move(image));
      progress_.update(static_cast<std::uint64_t>(next_source_), detail());
    }
    finish();
    outcome.manifest = manifest_;
    return outcome;
  }

 private:
  std::int64_t source_count() const {
    return static_cast<std::int64_t>(plan_.source.images.size());
  }

  Block prepare_block(std::int64_t block) const {
    const std::int64_t begin = first_source_ + block * block_size_;
    const std::int64_t end = std::min(begin + block_size_, source_count());
    Block images;
    for (std::int64_t i = begin; i < end; ++i) {
      images.push_back(prepare(plan_, plan_.source.images[static_cast<std::size_t>(i)]));
    }
    return images;
  }

  void take(PreparedImage image) {
    const SourceImage& source = plan_.source.images[static_cast<std::size_t>(next_source_)];
    const std::int64_t number = next_source_ / plan_.images_per_shard;
    const IndexRange sources = plan_.sources_of_shard(number);
    if (image.problem.empty()) {
      if (!shard_) begin_shard(number, sources.end - next_source_);
      shard_->append(image.pixels, source.label, image.crc, valid_utf8(source.path));
    } else {
      leave_out(source, image.problem);
    }
    ++next_source_;
    if (shard_ && next_source_ == sources.end) finish_shard();
  }

  void leave_out(const SourceImage& source, const std::string& problem) {
    manifest_.unreadable.push_back({next_source_, valid_utf8(source.path), problem});
    const auto bad = static_cast<std::int64_t>(manifest_.unreadable.size());
    if (bad <= plan_.bad_allowed()) return;
    write_quarantine(manifest_.unreadable, plan_.output);
    throw DataError(cat(bad, " of ", source_count(), " images cannot be read, more than ",
                        "pack.max_bad_share = ", plan_.max_bad_share, " allows: ", first_bad(),
                        ". ", quarantine_path(plan_.output).string(),
                        " lists those found so far. Repair or remove them, or give a larger ",
                        "--max-bad-share to leave them out."));
  }

  std::string first_bad() const {
    constexpr std::size_t kShown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, manifest_.unreadable.size()); ++i) {
      const UnreadableImage& image = manifest_.unreadable[i];
      text += cat(i == 0 ? "" : "; ", image.path, ": ", image.reason);
    }
    return manifest_.unreadable.size() > kShown ? text + "; …" : text;
  }

  void begin_shard(std::int64_t number, std::int64_t capacity) {
    shard_ = std::make_unique<ShardWriter>(
        plan_.output / shard_file_name(static_cast<std::size_t>(number)), plan_.spec, capacity);
  }

  void finish_shard() {
    ShardEntry entry = shard_->finish();
    shard_.reset();
    entry.end_source = next_source_;
    manifest_.shards.push_back(std::move(entry));
    if (next_source_ < source_count()) save_manifest(manifest_, plan_.output);
  }

  void finish() {
    if (manifest_.shards.empty()) {
      write_quarantine(manifest_.unreadable, plan_.output);
      throw DataError(cat("none of the ", source_count(), " images in ",
                          plan_.source.folder.string(), " can be read: ", first_bad()));
    }
    manifest_.complete = true;
    write_quarantine(manifest_.unreadable, plan_.output);
    save_manifest(manifest_, plan_.output);
    progress_.update(static_cast<std::uint64_t>(source_count()), detail());
    progress_.finish();
  }

  std::string detail() const {
    using Seconds = std::chrono::duration<double>;
    const double seconds = Seconds(std::chrono::steady_clock::now() - began_).count();
    const auto done = static_cast<double>(next_source_ - first_source_);
    std::string text = cat(fixed(seconds > 0 ? done / seconds : 0, 0), " images/s");
    if (!manifest_.unreadable.empty())
      text += cat(", ", manifest_.unreadable.size(), " unreadable");
    return text;
  }

  const PackPlan& plan_;
  Manifest manifest_;
  std::int64_t next_source_;
  const std::int64_t first_source_;
  const std::int64_t block_size_;
  std::unique_ptr<ShardWriter> shard_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Progress progress_;
};

PackOutcome pack_into(const PackPlan& plan, ProgressStyle style) {
  fs::create_directories(plan.output);
  const LockFile lock = lock_output(plan.output);
  Manifest manifest = progress_so_far(plan);
  if (manifest.complete) {
    return {.result = PackResult::already_complete,
            .manifest = manifest,
            .images_before = manifest.image_count()};
  }
  clear_output(plan.output, manifest.shards);
  const auto began = std::chrono::steady_clock::now();
  PackOutcome outcome = Packer(plan, std::move(manifest), style).run();
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return outcome;
}

}  // namespace

PackOutcome pack(const PackPlan& plan, ProgressStyle style) {
  try {
    return pack_into(plan, style);
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    if (code != ENOSPC && code != EDQUOT && code != EFBIG) throw;
    throw Error(cat(error.what(), " (whole shards are kept, nothing half-written remains). Free ",
                    "some space and run the same command again: it continues."));
  }
}

}  // namespace effuse
