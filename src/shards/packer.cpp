#include "shards/packer.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shards/merge_parts.hpp"
#include "shards/output_folder.hpp"
#include "shards/pack_progress.hpp"
#include "shards/pack_shards.hpp"
#include "shards/part_files.hpp"
#include "shards/quarantine.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

PackOutcome already_complete(Manifest manifest) {
  const std::int64_t images = manifest.image_count();
  return {.result = PackResult::already_complete,
          .manifest = std::move(manifest),
          .images_before = images};
}

PackOutcome pack_rest(const PackPlan& plan, Manifest manifest, ProgressStyle style) {
  PackOutcome outcome{.manifest = std::move(manifest)};
  outcome.images_before = outcome.manifest.image_count();
  const auto began = std::chrono::steady_clock::now();
  const PackEnd end = pack_shards(plan, outcome.manifest, style);
  outcome.result = end == PackEnd::stopped ? PackResult::stopped : PackResult::packed;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return outcome;
}

PackOutcome pack_all(const PackPlan& plan, ProgressStyle style) {
  auto turn = wait_for_turn(plan.output);
  const auto lock = lock_output(plan.output);
  require_unshared(plan.output, plan.part);
  Manifest manifest = progress_so_far(plan);
  if (manifest.complete) {
    tidy_up(plan, manifest);
    return already_complete(std::move(manifest));
  }
  remove_part_manifests(plan.output, 1);
  clear_output(plan.output, manifest.shards);
  turn.reset();
  return pack_rest(plan, std::move(manifest), style);
}

/// Where the part got to, with the folder made ready for the rest of it. With wait_for_turn() and
/// the part's lock.
Manifest begin_part(const PackPlan& plan) {
  const auto nobody_packs_all = lock_output(plan.output);
  require_unshared(plan.output, plan.part);
  Manifest manifest = progress_so_far(plan);
  if (manifest.complete) return manifest;
  remove_part_manifests(plan.output, plan.part.of);
  // Manifests first: without its shards one would be a lie.
  fs::remove(manifest_path(plan.output));
  fs::remove(quarantine_path(plan.output));
  write_manifest(manifest, plan.progress_file());
  // Shards beyond the last were left by others with more of them.
  IndexRange own = plan.shards();
  if (plan.part.number == plan.part.of) own.end = std::numeric_limits<std::int64_t>::max();
  clear_part(plan.output, plan.part, own, manifest.shards);
  return manifest;
}

/// Joins all parts if this was the last. `packed`: what was packed of this one.
PackOutcome finish_part(const PackPlan& plan, PackOutcome packed) {
  const auto turn = wait_for_turn(plan.output);
  if (auto whole = whole_data_set(plan)) {
    // Joined by a part that ended at the same time, or long ago.
    tidy_up(plan, *whole);
    if (packed.result == PackResult::already_complete) return already_complete(std::move(*whole));
    packed.result = PackResult::merged;
    packed.manifest = std::move(*whole);
    return packed;
  }
  packed.unfinished = unfinished_parts(plan, plan.part.of);
  packed.result = packed.unfinished.empty() ? PackResult::merged : PackResult::part_done;
  if (packed.unfinished.empty()) packed.manifest = merge_parts(plan, plan.part.of);
  return packed;
}

PackOutcome pack_part(const PackPlan& plan, ProgressStyle style) {
  auto turn = wait_for_turn(plan.output);
  const auto lock = lock_part(plan.output, plan.part);
  Manifest manifest = begin_part(plan);
  turn.reset();
  PackOutcome outcome = manifest.complete ? already_complete(std::move(manifest))
                                          : pack_rest(plan, std::move(manifest), style);
  if (outcome.result == PackResult::stopped) return outcome;
  return finish_part(plan, std::move(outcome));
}

/// Throws Error with advice where there is no room on the disk.
template <class Work>
PackOutcome with_advice(Work work) {
  try {
    return work();
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    if (code != ENOSPC && code != EDQUOT && code != EFBIG) throw;
    throw Error(cat(error.what(), " (whole shards are kept, nothing half-written remains). Free ",
                    "some space and run the same command again: it continues."));
  }
}

/// Into how many parts the data set is cut of which parts are in the output folder.
std::int64_t division_in(const PackPlan& plan) {
  const std::vector<Part> parts = parts_in(plan.output);
  if (parts.empty()) {
    throw DataError(
        cat(plan.output.string(), " holds no part of a data set, so there is nothing ",
            "to merge. Pack the parts first: the same command with --part I/N in place ",
            "of --merge."));
  }
  if (parts.front().of != parts.back().of) {
    throw DataError(cat(plan.output.string(), " holds parts of data sets cut into ",
                        parts.front().of, " and into ", parts.back().of, " parts (",
                        "they overlap). Remove the part-*.json files of one of them."));
  }
  return parts.front().of;
}

/// The complete data set if it is there, nothing where it can be made of the parts. Throws
/// DataError where it cannot.
std::optional<Manifest> complete_or_mergeable(const PackPlan& plan) {
  if (auto whole = whole_data_set(plan)) return whole;
  const std::int64_t of = division_in(plan);
  const std::string unfinished = unfinished_parts(plan, of);
  if (unfinished.empty()) return std::nullopt;
  throw DataError(cat("the parts in ", plan.output.string(), " cannot be merged yet: ", unfinished,
                      ". Run effuse-pack with the same settings and --part I/", of,
                      " for each of these: the last one merges all."));
}

}  // namespace

PackOutcome pack(const PackPlan& plan, ProgressStyle style) {
  return with_advice([&] {
    fs::create_directories(plan.output);
    return plan.part.is_all() ? pack_all(plan, style) : pack_part(plan, style);
  });
}

void check_merge(const PackPlan& plan) { complete_or_mergeable(plan); }

PackOutcome merge(const PackPlan& plan) {
  if (!fs::is_directory(plan.output)) division_in(plan);
  return with_advice([&] {
    const auto turn = wait_for_turn(plan.output);
    if (auto whole = complete_or_mergeable(plan)) {
      tidy_up(plan, *whole);
      return already_complete(std::move(*whole));
    }
    return PackOutcome{.result = PackResult::merged,
                       .manifest = merge_parts(plan, division_in(plan))};
  });
}

}  // namespace effuse
