#include "shards/pack_plan.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shards/part_files.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

void check_settings(const PackConfig& config) {
  if (config.input.empty()) {
    throw ConfigError("pack.input is not set: give the folder of images, --input FOLDER.");
  }
  if (config.output.empty()) {
    throw ConfigError("pack.output is not set: give the folder to write, --output FOLDER.");
  }
  if (config.channels != 1 && config.channels != 3) {
    throw ConfigError(cat("pack.channels = ", config.channels,
                          " is neither 1 (grey) nor 3 (RGB); nothing else is packed."));
  }
  // A data set inside the images would be taken for a class of them the next time.
  const fs::path from_input =
      fs::weakly_canonical(config.output).lexically_relative(fs::weakly_canonical(config.input));
  if (!from_input.empty() && *from_input.begin() != "..") {
    throw ConfigError(cat("pack.output ", config.output, " lies inside pack.input ", config.input,
                          " (it would be taken for images). Choose a folder outside."));
  }
}

int workers_for(std::int64_t configured) {
  if (configured > 0) return static_cast<int>(configured);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// What the part has of the whole.
std::string share_of(const PackPlan& plan) {
  const IndexRange shards = plan.shards();
  if (shards.count() == 0) {
    return cat("part ", plan.part.text(),
               ": none of the shards, of which there are fewer than parts");
  }
  return cat("part ", plan.part.text(), ": ",
             human_count(static_cast<std::uint64_t>(plan.sources().count())), " images, for ",
             shard_file_name(static_cast<std::size_t>(shards.first)), " to ",
             shard_file_name(static_cast<std::size_t>(shards.end - 1)));
}

ShardSpec spec_for(const PackConfig& config, const ImageFolder& source) {
  const auto size = static_cast<int>(config.image_size);
  return {.shape = {size, size, static_cast<int>(config.channels)},
          .classes = source.classes,
          .parameters = {config.image_size, config.channels, config.fit, config.shard_size_mib}};
}

}  // namespace

std::int64_t PackPlan::shard_count() const {
  return (std::ssize(source.images) + images_per_shard - 1) / images_per_shard;
}

IndexRange PackPlan::sources_of_shard(std::int64_t number) const {
  return {number * images_per_shard,
          std::min((number + 1) * images_per_shard, std::ssize(source.images))};
}

IndexRange PackPlan::shards() const { return range_of_part(shard_count(), part); }

IndexRange PackPlan::sources() const {
  const auto first_of = [this](std::int64_t shard) {
    return std::min(shard * images_per_shard, std::ssize(source.images));
  };
  return {first_of(shards().first), first_of(shards().end)};
}

fs::path PackPlan::progress_file() const { return part_manifest_path(output, part); }

std::int64_t PackPlan::bad_allowed() const {
  return static_cast<std::int64_t>(
      std::floor(max_bad_share * static_cast<double>(source.images.size()) + 1e-9));
}

std::string PackPlan::summary() const {
  const ImageShape& shape = spec.shape;
  const auto images = static_cast<std::int64_t>(source.images.size());
  const std::int64_t shards = shard_count();
  const auto bytes = static_cast<std::uint64_t>(images) * shape.size_bytes();
  std::string text =
      cat(human_count(static_cast<std::uint64_t>(images)), " images in ",
          source.labelled ? cat(source.classes.size(), " classes") : "no classes", " from ",
          source.folder.string(), " -> ", shape.width, "x", shape.height, " ",
          shape.channels == 1 ? "grey" : "RGB", " (", spec.parameters.fit, ") in ", shards,
          shards == 1 ? " shard" : " shards", ", ", human_bytes(bytes), ", in ", output.string());
  if (!part.is_all()) text += cat("\n", share_of(*this));
  if (source.ignored_files > 0) {
    text += cat("\n", human_count(static_cast<std::uint64_t>(source.ignored_files)),
                " files ignored (hidden, or not named .png, .jpg, .jpeg, .webp)");
  }
  if (source.unlabelled_images > 0) {
    text += cat("\n", human_count(static_cast<std::uint64_t>(source.unlabelled_images)),
                " images ignored that lie beside the class folders");
  }
  for (const std::string& name : source.empty_folders) {
    text += cat("\nno class \"", name, "\": its folder holds no image");
  }
  return text;
}

PackPlan plan_packing(const PackConfig& config, Existing existing) {
  check_settings(config);
  PackPlan plan;
  plan.part = parse_part(config.part, "pack.part");
  plan.source = scan_image_folder(config.input);
  plan.output = config.output;
  plan.target = {static_cast<int>(config.image_size), static_cast<int>(config.channels),
                 fit_named(config.fit)};
  plan.spec = spec_for(config, plan.source);
  plan.source_sha256 = plan.source.fingerprint();
  plan.existing = existing;
  plan.workers = workers_for(config.workers);
  plan.max_bad_share = config.max_bad_share;
  const auto image_bytes = static_cast<std::int64_t>(plan.spec.shape.size_bytes());
  plan.images_per_shard =
      std::max<std::int64_t>(1, config.shard_size_mib * kMebibyte / image_bytes);
  return plan;
}

}  // namespace effuse
