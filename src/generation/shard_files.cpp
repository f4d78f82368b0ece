#include "generation/shard_files.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <span>

#include "config/config.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/zero_padded.hpp"
#include "diffusion/quantise.hpp"
#include "shards/output_folder.hpp"
#include "shards/shard_writer.hpp"

namespace effuse {
namespace {

ImageShape shape_of(const at::Tensor& pixels) {
  return {static_cast<int>(pixels.size(1)), static_cast<int>(pixels.size(2)),
          static_cast<int>(pixels.size(3))};
}

ShardSpec spec_for(const ImageShape& shape, const StoreSettings& settings) {
  return {.shape = shape,
          .classes = settings.classes.conditional() ? settings.class_names
                                                    : std::vector<std::string>{"unlabelled"},
          .parameters = {.image_size = std::max(shape.height, shape.width),
                         .channels = shape.channels,
                         .fit = "generated",
                         .shard_size_mib = PackConfig().shard_size_mib}};
}

/// Fills shard after shard with images from the set's first on.
class ShardSeries {
 public:
  ShardSeries(std::filesystem::path folder, ShardSpec spec, const StoreSettings& settings)
      : folder_(std::move(folder)), spec_(std::move(spec)), settings_(settings) {
    const auto image_bytes = static_cast<std::int64_t>(spec_.shape.size_bytes());
    images_per_shard_ =
        std::max<std::int64_t>(1, (spec_.parameters.shard_size_mib << 20) / image_bytes);
    manifest_.shape = spec_.shape;
    manifest_.classes = spec_.classes;
    manifest_.parameters = spec_.parameters;
    manifest_.source_images = settings.set.count();
    manifest_.source_sha256 = settings.source_sha256;
  }

  void append(const at::Tensor& pixels) {
    const std::size_t image_bytes = spec_.shape.size_bytes();
    for (std::int64_t i = 0; i < pixels.size(0); ++i, ++done_) {
      if (!shard_) begin_shard();
      const std::span image(pixels.select(0, i).const_data_ptr<std::uint8_t>(), image_bytes);
      const std::int64_t number = settings_.set.first + done_;
      shard_->append(image, settings_.classes.label(number), crc32c(std::as_bytes(image)),
                     zero_padded(number, 8));
      if (shard_->full()) finish_shard();
    }
  }

  /// Only now the folder is a data set.
  void finish() {
    manifest_.complete = true;
    save_manifest(manifest_, folder_);
  }

 private:
  void begin_shard() {
    shard_ =
        std::make_unique<ShardWriter>(folder_ / shard_file_name(manifest_.shards.size()), spec_,
                                      std::min(images_per_shard_, settings_.set.count() - done_));
  }

  void finish_shard() {
    ShardEntry entry = shard_->finish();
    shard_.reset();
    entry.end_source = done_ + 1;
    manifest_.shards.push_back(std::move(entry));
  }

  std::filesystem::path folder_;
  ShardSpec spec_;
  const StoreSettings& settings_;
  std::int64_t images_per_shard_ = 1;
  Manifest manifest_;
  std::unique_ptr<ShardWriter> shard_;
  std::int64_t done_ = 0;
};

}  // namespace

at::Tensor ShardFiles::kept(const at::Tensor& images) const { return to_uint8(images); }

std::int64_t ShardFiles::count() const {
  if (!std::filesystem::exists(manifest_path(folder_))) return 0;
  try {
    if (!dataset_) dataset_ = ShardedDataset::open(folder_);
    return dataset_->size();
  } catch (const DataError& error) {
    log::local_warning(error.what(), ". It is made again.");
    return 0;
  }
}

at::Tensor ShardFiles::read(std::int64_t place, std::int64_t images) const {
  if (count() < place + images) return {};
  const at::Tensor rows =
      at::empty({images, dataset_->height(), dataset_->width(), dataset_->channels()}, at::kByte);
  auto* bytes = reinterpret_cast<std::byte*>(rows.data_ptr<std::uint8_t>());
  try {
    for (std::int64_t i = 0; i < images; ++i, bytes += dataset_->image_bytes()) {
      dataset_->read_verified(place + i, {bytes, dataset_->image_bytes()});
    }
  } catch (const DataError& error) {
    log::local_warning(error.what(), ". What is damaged is made again.");
    return {};
  }
  return rows;
}

void ShardFiles::write(std::int64_t images, const std::function<at::Tensor()>& next) const {
  remove();
  at::Tensor some = next();
  ShardSeries series(folder_, spec_for(shape_of(some), settings_), settings_);
  for (std::int64_t done = 0;; some = next()) {
    series.append(some);
    done += some.size(0);
    if (done == images) break;
  }
  series.finish();
}

void ShardFiles::remove() const {
  dataset_.reset();
  clear_output(folder_, {});
}

}  // namespace effuse
