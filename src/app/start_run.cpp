#include "app/start_run.hpp"

#include <algorithm>
#include <charconv>

#include "app/outcome.hpp"
#include "config/fields.hpp"
#include "config/toml_reader.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::int64_t parse_step(const std::string& text) {
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc{} || end != text.data() + text.size() || step < 1) {
    throw ConfigError(cat("--resume-from wants the number of a checkpoint's step, is ", text));
  }
  return step;
}

/// Does what a resubmission may not change still hold?
void require_same_experiment(const RunState& state, const Config& config,
                             const std::string& fingerprint, const StartOptions& options) {
  Config before;
  read_toml_text(before, state.config_toml, "the checkpoint's configuration");
  std::vector<std::string> changed = experiment_differences(before, config);
  if (state.dataset_fingerprint != fingerprint) changed.push_back("data.folder");
  std::string refused;
  for (const std::string& key : changed) {
    const auto& allowed = options.allowed_changes;
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) refused += " " + key;
  }
  if (refused.empty()) return;
  throw ConfigError(cat("this run was begun with another", refused,
                        " (what defines the experiment may not change half-way). Use another "
                        "run.name, start over with --fresh, or insist with --allow-change KEY."));
}

void log_changes(const RunState& state, const Config& config) {
  Config before;
  read_toml_text(before, state.config_toml, "the checkpoint's configuration");
  std::string names;
  for (const std::string& name : all_differences(before, config)) names += " " + name;
  if (!names.empty()) log::info("changed since the run was begun:", names);
}

/// Whether an attempt that did not come to its end has begun this very way.
bool is_repetition(const RunFolder& folder, const StartOptions& options, const Config& config) {
  const bool obeyed = unfinished_start(folder.outcome()) == options.name();
  if (!obeyed || !std::filesystem::exists(folder.config())) return false;
  Config before;
  try {
    read_toml_file(before, folder.config());
  } catch (const ConfigError&) {
    return false;  // of another version of Effuse
  }
  return experiment_differences(before, config).empty();
}

StartOptions without_repetition(const RunFolder& folder, const StartOptions& options,
                                const Config& config) {
  const bool goes_back = options.fresh || options.resume_from;
  if (!goes_back || !is_repetition(folder, options, config)) return options;
  log::info("--", options.name(),
            " was done by the attempt before, which this one continues. To do ",
            "it again, remove ", folder.outcome().string(), " first.");
  StartOptions left = options;
  left.fresh = false;
  left.resume_from.reset();
  return left;
}

std::optional<CheckpointContents> find_checkpoint(const RunFolder& folder,
                                                  const StartOptions& options) {
  const CheckpointFolder checkpoints(folder.checkpoints());
  if (options.resume_from) return checkpoints.load(*options.resume_from);
  auto found = checkpoints.load_newest_valid();
  if (!found) return std::nullopt;
  for (const std::string& damage : found->damaged) {
    log::warning(damage, ". Using the checkpoint of step ", found->step, " instead.");
  }
  return std::move(found->contents);
}

/// The checkpoint to continue from, after it was seen to be of this experiment.
std::optional<CheckpointContents> find_start(const RunFolder& folder, const StartOptions& options,
                                             const Config& config,
                                             const std::string& dataset_fingerprint) {
  if (options.fresh) return std::nullopt;
  auto contents = find_checkpoint(folder, options);
  if (contents) {
    require_same_experiment(contents->state, config, dataset_fingerprint, options);
    log_changes(contents->state, config);
  }
  return contents;
}

}  // namespace

StartOptions StartOptions::from(const CommandLine& line) {
  StartOptions options;
  options.fresh = line.has("fresh");
  if (line.has("resume-from"))
    options.resume_from = parse_step(line.extras.at("resume-from").back());
  if (options.fresh && options.resume_from) {
    throw ConfigError("--fresh starts over and --resume-from continues. Give one of them.");
  }
  if (line.has("allow-change")) options.allowed_changes = line.extras.at("allow-change");
  Config defaults;
  std::vector<Field> fields = fields_of(defaults);
  for (const std::string& key : options.allowed_changes) find_field(fields, key, "--allow-change");
  return options;
}

std::string StartOptions::name() const {
  if (fresh) return "fresh";
  return resume_from ? cat("resume-from ", *resume_from) : "continue";
}

std::optional<CheckpointContents> start_run(const RunFolder& folder, const StartOptions& wanted,
                                            const Config& config,
                                            const std::string& dataset_fingerprint) {
  const StartOptions options = without_repetition(folder, wanted, config);
  const auto contents = find_start(folder, options, config, dataset_fingerprint);
  if (options.fresh) {
    const auto aside = folder.move_aside();
    if (!aside.empty()) log::info("the old run is now ", aside.string());
  }
  if (options.resume_from) {
    log::info("going back to step ", *options.resume_from,
              "; checkpoints of later steps become step-….abandoned");
    CheckpointFolder(folder.checkpoints()).abandon_after(*options.resume_from);
  }
  folder.create();
  folder.clear_leftovers();
  CheckpointFolder(folder.checkpoints()).clear_leftovers();
  return contents;
}

std::int64_t check_start(const RunFolder& folder, const StartOptions& options, const Config& config,
                         const std::string& dataset_fingerprint) {
  const auto contents =
      find_start(folder, without_repetition(folder, options, config), config, dataset_fingerprint);
  return contents ? contents->state.step : 0;
}

CheckpointContents find_last_good(const RunFolder& folder, const RecoveryConfig& recovery,
                                  std::int64_t restores, std::int64_t step) {
  const std::string what =
      cat("training has diverged by step ", step, ": ", recovery.skip_limit + 1,
          recovery.skip_limit == 0 ? " step" : " steps in a row",
          " had a loss or gradients that are not finite or far too large (",
          folder.bad_steps().string(), " has their images)");
  const char* advice =
      ". Lower optimizer.lr, set optimizer.grad_clip, or use precision.compute=fp32; the last "
      "checkpoint is intact.";
  if (restores >= recovery.max_restores) {
    throw CheckpointError(
        cat(what, ", and a checkpoint was restored ", restores, " times before", advice));
  }
  auto found = CheckpointFolder(folder.checkpoints()).load_newest_valid();
  if (!found)
    throw CheckpointError(cat(what, ", and there is no checkpoint to go back to", advice));
  return std::move(found->contents);
}

}  // namespace effuse
