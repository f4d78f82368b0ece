#include <nlohmann/json.hpp>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "exchange/diffusers_config.hpp"
#include "exchange/diffusers_folder.hpp"
#include "exchange/diffusers_scheduler.hpp"
#include "exchange/formats.hpp"
#include "exchange/iddm_state.hpp"
#include "exchange/json_fields.hpp"
#include "exchange/python_json.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The folder with config.json and the weights: the pipeline's unet/, or `path` itself.
fs::path unet_folder(const fs::path& path) {
  return fs::exists(path / kDiffusersIndex) || !fs::exists(path / kDiffusersConfig)
             ? path / kDiffusersUnet
             : path;
}

void require_class(const Json& json, const fs::path& where) {
  const std::string name = JsonFields(json, where.string()).get<std::string>("_class_name", "");
  if (name == "UNet2DModel" || name.empty()) return;
  throw ConfigError(cat(where.string(), " is of a ", name,
                        "; Effuse reads UNet2DModel (unconditional or by class) only"));
}

/// The pipeline must be of one unet, a UNet2DModel: no text encoder, no autoencoder.
void require_pipeline(const fs::path& path) {
  const fs::path index = path / kDiffusersIndex;
  if (!fs::exists(index)) return;
  const Json json = read_python_json(index);
  const JsonFields fields(json, index.string());
  for (const auto& [key, value] : json.items()) {
    if (key.starts_with('_') || key == "scheduler" || !value.is_array()) continue;
    const std::string class_name = value.size() == 2 && value[1].is_string() ? value[1] : "";
    if (class_name.empty()) continue;  // an optional part that is not there
    if (key != "unet" || class_name != "UNet2DModel") {
      fields.refuse(key, cat("is a ", class_name, " (the pipeline is a ",
                             fields.get<std::string>("_class_name", "?"),
                             "); Effuse reads pipelines of a UNet2DModel and a scheduler only"));
    }
  }
}

/// Old releases of diffusers called the projections of attention otherwise, and some were 1x1
/// convolutions.
void modernise(NamedTensors& tensors) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {".query.", ".to_q."},
      {".key.", ".to_k."},
      {".value.", ".to_v."},
      {".proj_attn.", ".to_out.0."}};
  for (auto& [name, tensor] : tensors) {
    if (name.find("attentions.") == std::string::npos) continue;
    for (const auto& [old, modern] : kNames) {
      const std::size_t place = name.find(old);
      if (place == std::string::npos) continue;
      name.replace(place, old.size(), modern);
      if (tensor.dim() == 4) tensor = tensor.flatten(1);
    }
  }
}

fs::path weights_file(const fs::path& folder) {
  for (const char* name : {kDiffusersWeights, kDiffusersOldWeights}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  std::string there;
  for (const auto& entry : fs::directory_iterator(folder)) {
    there += cat(there.empty() ? "" : ", ", entry.path().filename().string());
  }
  throw CheckpointError(cat(folder.string(), " has neither ", kDiffusersWeights, " nor ",
                            kDiffusersOldWeights, " (it has ", there,
                            "). Weights in several files, or of another variant, have to be saved "
                            "as one with save_pretrained() first"));
}

NamedTensors tensors_of(const fs::path& file) {
  NamedTensors tensors;
  if (file.extension() == ".safetensors") {
    tensors = read_safetensors(file).tensors;
  } else {
    TorchFile torch(file);
    tensors = iddm_tensors(torch, WeightsKind::model, file.string());
  }
  modernise(tensors);
  return tensors;
}

/// effuse.json beside the rest says what diffusers' files cannot; it counts as long as it says the
/// same as they do where both speak.
void apply_own_state(ModelFile& file, const fs::path& path) {
  const fs::path own = path / kDiffusersOwnState;
  if (!fs::exists(own)) return;
  ModelFile said = file;
  apply_state(said, run_state_from_json(read_file(own), own.string()), own.string());
  const bool same =
      said.model.name == "unet2d" &&
      model_to_diffusers(said.model) == model_to_diffusers(file.model) &&
      diffusion_to_diffusers(said.diffusion) == diffusion_to_diffusers(file.diffusion);
  if (same) {
    file = std::move(said);
    file.notes.clear();  // of a scheduler that Effuse wrote itself
  } else {
    file.notes.push_back(cat(own.string(),
                             " does not describe this model any more, so it is "
                             "passed over"));
  }
}

void name_classes(ModelFile& file) {
  for (std::int64_t i = 0; i < file.model.num_class_embeds; ++i) {
    file.class_names.push_back(cat(i));
  }
  if (file.model.num_class_embeds > 0) {
    file.notes.push_back(
        "diffusers stores no class names, so classes are called by number, and has no null class, "
        "so there is no guidance");
  }
}

void read_scheduler(ModelFile& file, const fs::path& path) {
  const fs::path scheduler = path / kDiffusersScheduler;
  if (!fs::exists(scheduler)) {
    file.notes.push_back(cat("there is no ", kDiffusersScheduler,
                             ": assumed is the linear schedule over 1000 steps"));
    return;
  }
  const Json json = read_python_json(scheduler);
  file.diffusion = diffusion_from_diffusers(json, scheduler.string());
  file.notes = sampling_notes(json, scheduler.string());
}

}  // namespace

bool is_diffusers_folder(const fs::path& path) {
  return fs::exists(path / kDiffusersIndex) || fs::exists(path / kDiffusersConfig) ||
         fs::exists(path / kDiffusersUnet / kDiffusersConfig);
}

NamedTensors read_diffusers_tensors(const fs::path& path) {
  return tensors_of(weights_file(unet_folder(path)));
}

ModelFile read_diffusers(const fs::path& path) {
  if (!is_diffusers_folder(path)) {
    throw CheckpointError(cat(path.string(), " is no folder of diffusers: it has neither ",
                              kDiffusersIndex, " nor ", kDiffusersConfig));
  }
  require_pipeline(path);
  const fs::path folder = unet_folder(path);
  const fs::path config = folder / kDiffusersConfig;
  const Json json = read_python_json(config);
  require_class(json, config);
  ModelFile file;
  file.format = WeightsFormat::diffusers;
  file.model = model_from_diffusers(json, config.string());
  read_scheduler(file, path);
  const fs::path weights = weights_file(folder);
  file.tensors = tensors_of(weights);
  file.sha256 = sha256_of_file(weights);
  apply_own_state(file, path);
  if (file.class_names.empty()) name_classes(file);
  return file;
}

}  // namespace effuse
