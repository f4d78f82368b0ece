#include "shards/pack_progress.hpp"

#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "shards/part_files.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

/// `subject` names what is there.
void check_same_task(const PackPlan& plan, const Manifest& there, const std::string& subject) {
  const char* const advice =
      plan.part.is_all()
          ? " Choose another --output, or --fresh to start over, which removes what is there."
          : " Choose another --output, or start every part over by --fresh, which removes what is "
            "there of it.";
  const std::string differing = other_settings(plan, there);
  if (!differing.empty()) {
    throw ConfigError(cat(subject, " was packed with other settings: ", differing, ".", advice));
  }
  if (there.source_sha256 == plan.source_sha256) return;
  throw DataError(cat(subject, " was packed from other images: ",
                      human_count(static_cast<std::uint64_t>(there.source_images)), " files then, ",
                      human_count(plan.source.images.size()), " in ", plan.source.folder.string(),
                      " now, or of other names or sizes.", advice));
}

std::string subject_of(const PackPlan& plan, const Part& part) {
  return cat("part ", part.text(), " in ", plan.output.string());
}

/// Keeps the shards that are as the manifest says, up to the first that is not.
void drop_damaged_shards(const PackPlan& plan, Manifest& manifest) {
  const std::size_t good = whole_shards(plan, manifest);
  if (good == manifest.shards.size()) return;
  log::warning(manifest.shards[good].file, " in ", plan.output.string(),
               " is missing or truncated: packing again from there.");
  manifest.shards.resize(good);
  manifest.complete = false;
}

/// dataset.json, if it has shards. Without one nothing would be lost, so other settings or images
/// are fine; it says nothing then.
std::optional<Manifest> data_set_in(const PackPlan& plan) {
  const fs::path file = manifest_path(plan.output);
  if (!fs::exists(file)) return std::nullopt;
  Manifest manifest = read_manifest(file);
  if (manifest.shards.empty()) return std::nullopt;
  check_same_task(plan, manifest, plan.output.string());
  return manifest;
}

/// Throws where parts are there that do not go with the plan's: of another number of parts, or,
/// unless what differs is to make way, of another task. Parts without a shard go with all.
void check_other_parts(const PackPlan& plan) {
  for (const Part& part : parts_in(plan.output)) {
    const bool is_alike = part.of == plan.part.of;
    if (is_alike && (plan.existing == Existing::discard || part == plan.part)) continue;
    const fs::path file = part_manifest_path(plan.output, part);
    const Manifest there = read_manifest(file);
    if (there.shards.empty()) continue;
    if (is_alike) {
      check_same_task(plan, there, subject_of(plan, part));
      continue;
    }
    throw ConfigError(cat(plan.output.string(), " is being packed in ", part.of, " parts (",
                          file.filename().string(), " has shards of it) and not in ",
                          plan.part.is_all() ? "one go" : cat(plan.part.of),
                          ", which would pack them again. Go on with --part I/", part.of,
                          ", choose another --output, or start over by --fresh without --part, ",
                          "which removes what is there."));
  }
}

/// Of one of several parts.
Manifest progress_of_part(const PackPlan& plan) {
  const fs::path file = plan.progress_file();
  if (plan.existing == Existing::discard || !fs::exists(file)) return fresh_manifest(plan);
  Manifest manifest = read_manifest(file);
  const bool is_same =
      other_settings(plan, manifest).empty() && manifest.source_sha256 == plan.source_sha256;
  // Complete without a shard: no image of the part can be read, or it has none.
  if (manifest.shards.empty())
    return is_same && manifest.complete ? manifest : fresh_manifest(plan);
  check_same_task(plan, manifest, subject_of(plan, plan.part));
  return manifest;
}

}  // namespace

Manifest fresh_manifest(const PackPlan& plan) {
  Manifest manifest;
  manifest.shape = plan.spec.shape;
  manifest.classes = plan.spec.classes;
  manifest.parameters = plan.spec.parameters;
  manifest.source_images = std::ssize(plan.source.images);
  manifest.source_sha256 = plan.source_sha256;
  return manifest;
}

std::string other_settings(const PackPlan& plan, const Manifest& there) {
  std::string differing;
  for (const std::string& difference : differences(there.parameters, plan.spec.parameters)) {
    differing += cat(differing.empty() ? "" : ", ", difference);
  }
  return differing;
}

std::size_t whole_shards(const PackPlan& plan, const Manifest& manifest) {
  std::size_t whole = 0;
  for (const ShardEntry& shard : manifest.shards) {
    std::error_code error;
    if (fs::file_size(plan.output / shard.file, error) != shard.size_bytes || error) break;
    ++whole;
  }
  return whole;
}

std::optional<Manifest> whole_data_set(const PackPlan& plan) {
  std::optional<Manifest> manifest = data_set_in(plan);
  if (!manifest) return std::nullopt;
  const std::size_t whole = whole_shards(plan, *manifest);
  if (manifest->complete && whole == manifest->shards.size()) return manifest;
  throw ConfigError(cat(
      plan.output.string(), " holds a data set that is not whole (",
      manifest->complete ? cat(manifest->shards[whole].file, " is missing or truncated")
                         : cat("begun in one go, ", manifest->shards.size(), " shards so far"),
      "), which no part completes. Run the same command without --part or --merge: it continues."));
}

Manifest progress_so_far(const PackPlan& plan) {
  const bool keeps = plan.existing == Existing::keep;
  std::optional<Manifest> there;
  if (plan.part.is_all()) {
    if (keeps) there = data_set_in(plan);
    if (keeps && !there) check_other_parts(plan);
  } else {
    if (keeps) there = whole_data_set(plan);
    if (there) return *there;
    check_other_parts(plan);
    there = progress_of_part(plan);
  }
  if (!there) return fresh_manifest(plan);
  drop_damaged_shards(plan, *there);
  if (there->complete) return *there;
  if (there->shards.empty()) return fresh_manifest(plan);
  const std::int64_t done = there->shards.back().end_source;
  std::erase_if(there->unreadable, [&](const auto& image) { return image.source >= done; });
  return *there;
}

}  // namespace effuse
