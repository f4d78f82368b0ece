#include "shards/merge_parts.hpp"

#include <functional>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shards/output_folder.hpp"
#include "shards/pack_progress.hpp"
#include "shards/part_files.hpp"
#include "shards/quarantine.hpp"
#include "shards/unreadable_limit.hpp"

namespace effuse {
namespace {

/// What is to be said of a part; empty: nothing.
using Verdict = std::function<std::string(const Part&)>;

std::string verdict_of_manifest(const PackPlan& plan, const Part& part) {
  const Manifest manifest = read_manifest(part_manifest_path(plan.output, part));
  const std::string differing = other_settings(plan, manifest);
  if (!differing.empty()) return cat("has other settings (", differing, ")");
  if (manifest.source_sha256 != plan.source_sha256) return "was packed from other images";
  if (manifest.complete) return "";
  return cat("is not done (", human_count(static_cast<std::uint64_t>(manifest.image_count())),
             " images so far)");
}

std::string verdict_of_shards(const PackPlan& plan, const Part& part) {
  const Manifest manifest = read_manifest(part_manifest_path(plan.output, part));
  const std::size_t whole = whole_shards(plan, manifest);
  if (whole == manifest.shards.size()) return "";
  return cat("is damaged (", manifest.shards[whole].file, " is missing or truncated)");
}

std::string list_of(std::int64_t of, const Verdict& verdict) {
  constexpr int kListed = 5;
  std::string list;
  int listed = 0;
  for (Part part{1, of}; part.number <= of; ++part.number) {
    const std::string text = verdict(part);
    if (text.empty()) continue;
    if (listed++ == kListed) return list + "; …";
    list += cat(list.empty() ? "" : "; ", "part ", part.text(), " ", text);
  }
  return list;
}

}  // namespace

std::string unfinished_parts(const PackPlan& plan, std::int64_t of) {
  // Listed, not looked up one by one: network file systems keep for a while that a name is not
  // there.
  std::set<std::int64_t> there;
  for (const Part& part : parts_in(plan.output)) {
    if (part.of == of) there.insert(part.number);
  }
  const std::string list = list_of(of, [&](const Part& part) {
    return there.contains(part.number) ? verdict_of_manifest(plan, part)
                                       : std::string("has not begun");
  });
  // The sizes of all shards are looked at but once: by the part that is last.
  if (!list.empty()) return list;
  return list_of(of, [&](const Part& part) { return verdict_of_shards(plan, part); });
}

Manifest merge_parts(const PackPlan& plan, std::int64_t of) {
  Manifest whole = fresh_manifest(plan);
  for (Part part{1, of}; part.number <= of; ++part.number) {
    const Manifest manifest = read_manifest(part_manifest_path(plan.output, part));
    whole.shards.insert(whole.shards.end(), manifest.shards.begin(), manifest.shards.end());
    whole.unreadable.insert(whole.unreadable.end(), manifest.unreadable.begin(),
                            manifest.unreadable.end());
  }
  write_quarantine(whole.unreadable, plan.output);
  if (too_many(plan, whole.unreadable)) {
    throw too_many_error(plan, whole.unreadable, quarantine_path(plan.output));
  }
  if (whole.shards.empty()) throw none_readable_error(plan, whole.unreadable);
  whole.complete = true;
  save_manifest(whole, plan.output);
  tidy_up(plan, whole);
  return whole;
}

void tidy_up(const PackPlan& plan, const Manifest& complete) {
  const bool were_parts = !parts_in(plan.output).empty();
  // What is left of these may have been left with them.
  if (were_parts) clear_output(plan.output, complete.shards);
  remove_part_manifests(plan.output, 0);
  remove_free_part_locks(plan.output);
}

}  // namespace effuse
