#include "shards/pack_shards.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/index_range.hpp"
#include "core/ordered_workers.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "shards/prepare_image.hpp"
#include "shards/quarantine.hpp"
#include "shards/shard_writer.hpp"
#include "shards/unreadable_limit.hpp"

namespace effuse {
namespace {

using Block = std::vector<PreparedImage>;

/// Small images are handed over many at a time, large ones alone.
std::int64_t block_size_for(const PackPlan& plan) {
  constexpr std::size_t kBlock_bytes = std::size_t{256} << 10;
  return static_cast<std::int64_t>(
      std::clamp<std::size_t>(kBlock_bytes / plan.spec.shape.size_bytes(), 1, 64));
}

class ShardPacker {
 public:
  ShardPacker(const PackPlan& plan, Manifest& manifest, ProgressStyle style)
      : plan_(plan),
        manifest_(manifest),
        sources_(plan.sources()),
        next_source_(manifest_.shards.empty() ? sources_.first
                                              : manifest_.shards.back().end_source),
        first_source_(next_source_),
        block_size_(block_size_for(plan)),
        progress_({.task = "pack",
                   .unit = "images",
                   .total = static_cast<std::uint64_t>(sources_.count()),
                   .start = done(),
                   .style = style}) {}

  PackEnd run() {
    const std::int64_t blocks = (sources_.end - first_source_ + block_size_ - 1) / block_size_;
    OrderedWorkers<Block> workers(plan_.workers, blocks, 4 * plan_.workers,
                                  [this](std::int64_t block) { return prepare_block(block); });
    for (std::int64_t block = 0; block < blocks; ++block) {
      if (stop_signal() != 0) return PackEnd::stopped;
      for (PreparedImage& image : workers.next()) take(std::move(image));
      progress_.update(done(), detail());
    }
    finish();
    return PackEnd::complete;
  }

 private:
  std::uint64_t done() const { return static_cast<std::uint64_t>(next_source_ - sources_.first); }

  Block prepare_block(std::int64_t block) const {
    const std::int64_t begin = first_source_ + block * block_size_;
    const std::int64_t end = std::min(begin + block_size_, sources_.end);
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
    if (!too_many(plan_, manifest_.unreadable)) return;
    if (plan_.part.is_all()) {
      write_quarantine(manifest_.unreadable, plan_.output);
    } else {
      save();
    }
    throw too_many_error(
        plan_, manifest_.unreadable,
        plan_.part.is_all() ? quarantine_path(plan_.output) : plan_.progress_file());
  }

  void save() const { write_manifest(manifest_, plan_.progress_file()); }

  void begin_shard(std::int64_t number, std::int64_t capacity) {
    shard_ = std::make_unique<ShardWriter>(
        plan_.output / shard_file_name(static_cast<std::size_t>(number)), plan_.spec, capacity);
  }

  void finish_shard() {
    ShardEntry entry = shard_->finish();
    shard_.reset();
    entry.end_source = next_source_;
    manifest_.shards.push_back(std::move(entry));
    if (next_source_ < sources_.end) save();
  }

  void finish() {
    // Of a part, both are seen to when all are merged.
    if (plan_.part.is_all()) {
      write_quarantine(manifest_.unreadable, plan_.output);
      if (manifest_.shards.empty()) throw none_readable_error(plan_, manifest_.unreadable);
    }
    manifest_.complete = true;
    save();
    progress_.update(done(), detail());
    progress_.finish();
  }

  std::string detail() const {
    using Seconds = std::chrono::duration<double>;
    const double seconds = Seconds(std::chrono::steady_clock::now() - began_).count();
    const auto images = static_cast<double>(next_source_ - first_source_);
    std::string text = cat(fixed(seconds > 0 ? images / seconds : 0, 0), " images/s");
    if (!manifest_.unreadable.empty())
      text += cat(", ", manifest_.unreadable.size(), " unreadable");
    return text;
  }

  const PackPlan& plan_;
  Manifest& manifest_;
  const IndexRange sources_;
  std::int64_t next_source_;
  const std::int64_t first_source_;
  const std::int64_t block_size_;
  std::unique_ptr<ShardWriter> shard_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Progress progress_;
};

}  // namespace

PackEnd pack_shards(const PackPlan& plan, Manifest& manifest, ProgressStyle style) {
  return ShardPacker(plan, manifest, style).run();
}

}  // namespace effuse
