#include "checkpoint/load_weights.hpp"

#include <map>
#include <ranges>

#include "checkpoint/step_folder.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

LoadedWeights load_from_step(const std::filesystem::path& folder, WeightsKind kind) {
  const StepFolder step(folder);
  const bool averaged = kind == WeightsKind::ema && !step.holds_weights_alone();
  const char* file = averaged ? kEmaFile : kModelFile;
  return {step.tensors(file), step.state(), folder, step.record_of(file).sha256, {}};
}

bool is_step_folder(const std::filesystem::path& path) {
  return std::filesystem::exists(path / kManifestFile) ||
         std::filesystem::exists(path / kModelFile) || std::filesystem::exists(path / kStateFile);
}

}  // namespace

WeightsKind weights_kind_from(const std::string& word) {
  if (word == "ema") return WeightsKind::ema;
  if (word == "model") return WeightsKind::model;
  throw ConfigError(cat("weights are of kind ema or model, not ", word));
}

LoadedWeights load_weights(const std::filesystem::path& path, WeightsKind kind) {
  if (is_step_folder(path)) return load_from_step(std::filesystem::canonical(path), kind);
  const std::filesystem::path inner = path / "checkpoints";
  const auto steps = list_steps(std::filesystem::is_directory(inner) ? inner : path);
  if (steps.empty()) {
    throw CheckpointError(cat(
        path.string(), std::filesystem::exists(path) ? " holds no checkpoint" : " does not exist",
        " (weights come from a run folder, its checkpoints, or one step-… "
        "folder)"));
  }
  std::vector<std::string> damaged;
  for (const auto& [step, folder] : std::views::reverse(steps)) {
    try {
      LoadedWeights weights = load_from_step(folder, kind);
      weights.damaged = damaged;
      return weights;
    } catch (const CheckpointError& error) {
      damaged.push_back(error.what());
    }
  }
  std::string list;
  for (const std::string& message : damaged) list += cat("\n  ", message);
  throw CheckpointError(cat("none of the checkpoints in ", path.string(), " is valid:", list));
}

}  // namespace effuse
