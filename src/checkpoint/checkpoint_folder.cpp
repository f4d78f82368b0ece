#include "checkpoint/checkpoint_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <ranges>
#include <system_error>
#include <utility>

#include "checkpoint/step_folder.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr const char* kLatest = "latest";
constexpr const char* kBest = "best";
constexpr const char* kRemoved = ".removed";

std::string advice_on(const std::error_code& cause) {
  if (cause == std::errc::no_space_on_device || cause.value() == EDQUOT) {
    return " Free some space there (checkpoint.keep_last says how many are kept), then run the "
           "same command again.";
  }
  if (cause == std::errc::permission_denied || cause == std::errc::read_only_file_system) {
    return " May this user write there?";
  }
  return "";
}

bool is_leftover(const std::string& name) {
  const bool ours = name.starts_with(".step-") || name.starts_with(".latest.");
  return ours && (name.find(".tmp-") != std::string::npos || name.ends_with(kRemoved) ||
                  name.ends_with(".replaced"));
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::filesystem::path folder, FileHook hook)
    : folder_(without_trailing_slash(folder)), operations_(std::move(hook)) {}

void CheckpointFolder::save(const CheckpointContents& contents) {
  const std::filesystem::path step_folder = folder_ / step_name(contents.state.step);
  const std::filesystem::path temporary = temporary_sibling(step_folder);
  try {
    if (!std::filesystem::exists(folder_)) {
      operations_.make_folder(folder_);
      operations_.sync(folder_.parent_path());
    }
    remove_leftovers();
    const TemporaryPath guard(temporary);
    write_files(contents, temporary);
    commit(temporary, step_folder);
  } catch (const std::system_error& error) {
    throw CheckpointError(cat("cannot save checkpoint ", step_folder.string(), ": ", error.what(),
                              " (checkpoints saved before it stay valid)",
                              advice_on(error.code())));
  }
  known_valid_.insert(contents.state.step);
}

void CheckpointFolder::write_files(const CheckpointContents& contents,
                                   const std::filesystem::path& folder) const {
  operations_.make_folder(folder);
  Manifest manifest{contents.state.step, {}};
  const auto write_tensors = [&](const char* file, const NamedTensors& tensors) {
    manifest.files[file] =
        write_safetensors(folder / file, tensors, {{"format", "pt"}}, operations_);
  };
  const auto write_text = [&](const char* file, const std::string& text) {
    OutputFile out(folder / file, operations_);
    out.write(text);
    return out.finish();
  };
  write_tensors(kModelFile, contents.model);
  write_tensors(kEmaFile, contents.ema);
  write_tensors(kOptimizerFile, contents.optimizer);
  manifest.files[kStateFile] = write_text(kStateFile, to_json(contents.state));
  write_text(kManifestFile, to_json(manifest));
  operations_.sync(folder);
}

void CheckpointFolder::commit(const std::filesystem::path& temporary,
                              const std::filesystem::path& step_folder) {
  const bool replaces = std::filesystem::exists(step_folder);
  if (replaces) {
    move_into_place(temporary, step_folder);
  } else {
    operations_.rename(temporary, step_folder);
  }
  operations_.sync(folder_);
  point(kLatest, step_folder);
  if (!replaces) return;
  operations_.remove_all(temporary);
  operations_.remove_all(replaced_sibling(step_folder));
}

void CheckpointFolder::move_into_place(const std::filesystem::path& temporary,
                                       const std::filesystem::path& step_folder) const {
  if (operations_.exchange(temporary, step_folder)) return;
  // Where names cannot be swapped in one step, list_steps() finds the old one between the two.
  const std::filesystem::path aside = replaced_sibling(step_folder);
  operations_.rename(step_folder, aside);
  try {
    operations_.rename(temporary, step_folder);
  } catch (const std::system_error&) {
    std::error_code ignored;
    std::filesystem::rename(aside, step_folder, ignored);
    throw;
  }
}

void CheckpointFolder::point(const char* link, const std::filesystem::path& step_folder) const {
  const std::filesystem::path temporary = temporary_sibling(folder_ / link);
  const TemporaryPath guard(temporary);
  operations_.make_link(temporary, step_folder.filename());
  operations_.rename(temporary, folder_ / link);
  operations_.sync(folder_);
}

void CheckpointFolder::clear_leftovers() const {
  try {
    if (std::filesystem::exists(folder_)) remove_leftovers();
  } catch (const std::system_error& error) {
    throw CheckpointError(cat("cannot remove what a save left over: ", error.what(),
                              " (the checkpoints stay valid)", advice_on(error.code())));
  }
}

void CheckpointFolder::remove_leftovers() const {
  std::vector<std::filesystem::path> leftovers;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (is_leftover(entry.path().filename().string())) leftovers.push_back(entry.path());
  }
  for (const auto& [step, place] : list_steps(folder_)) {
    const std::filesystem::path proper = folder_ / step_name(step);
    if (place == replaced_sibling(proper)) operations_.rename(place, proper);
  }
  for (const std::filesystem::path& leftover : leftovers) operations_.remove_all(leftover);
}

std::vector<std::int64_t> CheckpointFolder::steps() const {
  std::vector<std::int64_t> steps;
  for (const auto& [step, place] : list_steps(folder_)) steps.push_back(step);
  return steps;
}

std::filesystem::path CheckpointFolder::folder_of(std::int64_t step) const {
  const auto places = list_steps(folder_);
  const auto found = places.find(step);
  if (found != places.end()) return found->second;
  std::string list;
  for (const auto& [other, place] : places) list += cat(list.empty() ? "" : ", ", other);
  throw CheckpointError(
      cat(folder_.string(), " holds no checkpoint of step ", step,
          list.empty() ? "; it holds none at all" : cat("; it holds those of steps ", list)));
}

RunState CheckpointFolder::read_state(std::int64_t step) const {
  return StepFolder(folder_of(step)).state();
}

CheckpointContents CheckpointFolder::load(std::int64_t step) const {
  const std::filesystem::path place = folder_of(step);
  const StepFolder folder(place);
  if (folder.step() != step) {
    throw CheckpointError(
        cat(place.string(), " is damaged: its manifest is of step ", folder.step()));
  }
  CheckpointContents contents{folder.tensors(kModelFile), folder.tensors(kEmaFile),
                              folder.tensors(kOptimizerFile), folder.state()};
  known_valid_.insert(step);
  return contents;
}

std::optional<CheckpointFolder::Found> CheckpointFolder::load_newest_valid() const {
  std::vector<std::string> damaged;
  for (const std::int64_t step : std::views::reverse(steps())) {
    try {
      return Found{step, load(step), damaged};
    } catch (const CheckpointError& error) {
      damaged.push_back(error.what());
    }
  }
  if (damaged.empty()) return std::nullopt;
  std::string list;
  for (const std::string& message : damaged) list += cat("\n  ", message);
  throw CheckpointError(cat("none of the checkpoints in ", folder_.string(),
                            " is valid (starting over would throw the run away). Restore one from "
                            "a backup, or start over with --fresh:",
                            list));
}

bool CheckpointFolder::is_valid(std::int64_t step) const {
  if (known_valid_.contains(step)) return true;
  try {
    const StepFolder folder(folder_of(step));
    folder.verify_all();
    if (folder.step() == step) known_valid_.insert(step);
  } catch (const CheckpointError&) {
    return false;
  }
  return known_valid_.contains(step);
}

void CheckpointFolder::retain(std::int64_t keep_last, std::int64_t keep_every_steps) {
  const auto kept_for_ever = [keep_every_steps](std::int64_t step) {
    return keep_every_steps > 0 && step % keep_every_steps == 0;
  };
  const std::optional<std::int64_t> best_step = best();
  try {
    if (std::filesystem::exists(folder_)) remove_leftovers();
    std::int64_t newer = 0;
    bool valid_kept = false;
    for (const auto& [step, place] : std::views::reverse(list_steps(folder_))) {
      const bool among_last = newer++ < std::max<std::int64_t>(keep_last, 1);
      if (among_last || !valid_kept || kept_for_ever(step) || step == best_step) {
        valid_kept = valid_kept || is_valid(step);
        continue;
      }
      // Renamed first: half a folder under its own name would pass for a damaged checkpoint.
      const std::filesystem::path removed = folder_ / cat(".", step_name(step), kRemoved);
      operations_.rename(place, removed);
      known_valid_.erase(step);
      operations_.remove_all(removed);
    }
  } catch (const std::system_error& error) {
    throw CheckpointError(
        cat("cannot remove an old checkpoint: ", error.what(), " (the newest ones stay valid)"));
  }
}

void CheckpointFolder::mark_best(std::int64_t step) {
  const std::filesystem::path best_folder = folder_ / step_name(step);
  if (!std::filesystem::exists(best_folder)) {
    throw CheckpointError(cat(best_folder.string(), " is not there to be marked as the best"));
  }
  try {
    point(kBest, best_folder);
  } catch (const std::system_error& error) {
    throw CheckpointError(cat("cannot mark the best checkpoint: ", error.what(),
                              " (the checkpoints stay valid)", advice_on(error.code())));
  }
}

std::optional<std::int64_t> CheckpointFolder::best() const {
  std::error_code none;
  const std::filesystem::path target = std::filesystem::read_symlink(folder_ / kBest, none);
  if (none || !std::filesystem::exists(folder_)) return std::nullopt;
  for (const auto& [step, place] : list_steps(folder_)) {
    if (target == step_name(step)) return step;
  }
  return std::nullopt;
}

void CheckpointFolder::abandon_after(std::int64_t step) {
  try {
    point(kLatest, folder_ / step_name(step));
    if (best().value_or(step) > step) operations_.remove_all(folder_ / kBest);
    for (const auto& [later, place] : list_steps(folder_)) {
      if (later <= step) continue;
      const std::filesystem::path aside = cat(place.string(), ".abandoned");
      operations_.remove_all(aside);
      operations_.rename(place, aside);
      known_valid_.erase(later);
    }
  } catch (const std::system_error& error) {
    throw CheckpointError(cat("cannot set aside the checkpoints after step ", step, ": ",
                              error.what(), " (nothing is lost; make the folder writable)"));
  }
}

}  // namespace effuse
