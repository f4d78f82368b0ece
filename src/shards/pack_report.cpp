#include "shards/pack_report.hpp"

#include <cstdint>

#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "shards/quarantine.hpp"

namespace effuse {
namespace {

std::string counted(std::int64_t images) {
  return cat(human_count(static_cast<std::uint64_t>(images)), images == 1 ? " image" : " images");
}

}  // namespace

std::string counted(const Manifest& manifest) { return counted(manifest.image_count()); }

ExitCode report(const PackPlan& plan, const PackOutcome& outcome) {
  const Manifest& manifest = outcome.manifest;
  const std::string so_far =
      cat(counted(manifest), " in ", manifest.shards.size(),
          manifest.shards.size() == 1 ? " shard" : " shards", " in ", plan.output.string());
  if (outcome.result == PackResult::stopped) {
    log::warning("stopped by ", signal_name(stop_signal()), " with ", so_far,
                 ". Run the same command again: it continues.");
    return ExitCode::stopped;
  }
  if (outcome.result == PackResult::already_complete) {
    log::info("nothing to do: ", so_far, " are there, packed from the same images.");
    return ExitCode::done;
  }
  if (outcome.result == PackResult::part_done) {
    log::info("part ", plan.part.text(), " is done, with ", counted(manifest),
              "; the data set is complete once all parts are (", outcome.unfinished, ")");
    return ExitCode::done;
  }
  if (outcome.result == PackResult::merged) {
    log::info("all parts are done, and are one data set now: ", so_far);
  } else {
    log::info("packed ", so_far, " in ", human_seconds(outcome.seconds),
              outcome.images_before > 0
                  ? cat(" (", counted(outcome.images_before), " were there from before)")
                  : "");
  }
  if (!manifest.unreadable.empty()) {
    log::warning(counted(std::ssize(manifest.unreadable)), " could not be read: see ",
                 quarantine_path(plan.output).string());
  }
  return ExitCode::done;
}

}  // namespace effuse
