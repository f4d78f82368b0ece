#include "app/train_settings.hpp"

#include <algorithm>
#include <filesystem>

#include "app/checkpointing.hpp"
#include "app/evaluation_hook.hpp"
#include "config/fields.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "models/factory.hpp"
#include "training/optimiser.hpp"

namespace effuse {

void require_run_name(const RunConfig& run) {
  const std::filesystem::path name = run.name;
  const bool is_printable = std::ranges::none_of(run.name, [](unsigned char c) { return c < ' '; });
  if (name.empty() || name.has_parent_path() || name == "." || name == ".." || !is_printable) {
    throw ConfigError(cat("run.name is \"", run.name,
                          "\" (it names a folder in run.folder). Give a plain name."));
  }
}

void require_settings(const Config& config) {
  if (config.preview.steps > config.diffusion.timesteps) {
    throw ConfigError(cat("preview.steps is ", config.preview.steps,
                          ", but diffusion.timesteps is ", config.diffusion.timesteps,
                          ". Give at most as many."));
  }
  require_rank_that_saves(config.drill);
  require_evaluation_settings(config);
  if (config.parallel.accumulation_steps > 0 && config.parallel.micro_batch > 0) {
    throw ConfigError(
        "parallel.accumulation_steps and parallel.micro_batch are both set (each says how a rank "
        "divides its share). Give one of them.");
  }
  if (config.precision.weights == "compute" && config.precision.compute == "fp32") {
    throw ConfigError(
        "precision.weights is compute, but precision.compute is fp32 (the weights are fp32 "
        "anyhow). Set precision.compute to bf16 or fp16, or precision.weights to fp32.");
  }
  weight_decay_of(config.optimizer);
}

void warn_of_ineffective_keys(const Config& config) {
  for (const std::string& key : ineffective_keys(config)) {
    const bool of_model = key.starts_with("model.");
    log::warning(key, " has no effect on ", of_model ? config.model.name : config.optimizer.name);
  }
}

ShardedDataset open_dataset(const DataConfig& data) {
  if (data.folder.empty()) {
    throw ConfigError(
        "data.folder is not set (training needs a packed data set). Give --data FOLDER.");
  }
  return ShardedDataset::open(data.folder);
}

std::int64_t damaged_images_allowed(const DataConfig& data, std::int64_t size) {
  return static_cast<std::int64_t>(data.max_bad_share * static_cast<double>(size) + 1e-9);
}

std::string parameters_of(const Network& network) {
  const std::int64_t unused = count_unused_parameters(network);
  std::string text =
      human_count(static_cast<std::uint64_t>(count_parameters(network))) + " parameters";
  if (unused > 0) {
    text += cat(" (", human_count(static_cast<std::uint64_t>(unused)),
                " of them unused by the network: kept for loading, not trained)");
  }
  return text;
}

std::vector<std::string> class_names_of(const ShardedDataset& dataset, const ModelConfig& model) {
  if (model.num_class_embeds == 0) return {};
  const auto names = dataset.class_names();
  return {names.begin(), names.end()};
}

const std::vector<std::string>& train_sections() {
  static const std::vector<std::string> sections = {
      "run",   "data",      "model",    "diffusion",  "optimizer",
      "ema",   "precision", "parallel", "checkpoint", "recovery",
      "drill", "preview",   "sampling", "evaluation", "metrics"};
  return sections;
}

}  // namespace effuse
