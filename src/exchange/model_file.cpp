#include "exchange/model_file.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <utility>

#include "config/toml_reader.hpp"
#include "config/toml_writer.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/formats.hpp"
#include "exchange/torch_file.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

constexpr std::array<std::pair<WeightsFormat, const char*>, 4> kNames{{
    {WeightsFormat::effuse, "effuse"},
    {WeightsFormat::diffusers, "diffusers"},
    {WeightsFormat::safetensors, "safetensors"},
    {WeightsFormat::iddm, "iddm"},
}};

/// The ninth byte of a safetensors file opens its header.
bool looks_like_safetensors(const std::filesystem::path& path) {
  std::array<char, 9> first{};
  std::ifstream in(path, std::ios::binary);
  in.read(first.data(), first.size());
  return path.extension() == ".safetensors" || (in && first[8] == '{');
}

ModelFile read(const std::filesystem::path& path, WeightsFormat format,
               const ReadOptions& options) {
  switch (format) {
    case WeightsFormat::effuse:
      return read_effuse(path, options.kind);
    case WeightsFormat::diffusers:
      return read_diffusers(path);
    case WeightsFormat::safetensors:
      return read_safetensors_model(path);
    case WeightsFormat::iddm:
      break;
  }
  return read_iddm(path, options);
}

/// Every level of every network has a layer of width x width. A description that asks for more than
/// the file holds must not get to make a network, which could ask for any amount of memory.
void require_plausible(const ModelFile& file, const std::filesystem::path& path) {
  const ModelConfig& model = file.model;
  const bool unet2d = model.name == "unet2d";
  double least = static_cast<double>(model.num_class_embeds);
  for (const std::int64_t width : unet2d ? model.block_out_channels : model.channels) {
    const double layers = unet2d ? static_cast<double>(model.layers_per_block) : 1;
    least += layers * static_cast<double>(width) * static_cast<double>(width);
  }
  std::int64_t held = 0;
  for (const auto& [name, tensor] : file.tensors) held += tensor.numel();
  if (least <= static_cast<double>(held)) return;
  throw CheckpointError(cat(path.string(), " describes a network of ", least,
                            " weights or more, but holds ", held,
                            ". Is it whole, and its configuration its own?"));
}

}  // namespace

const char* name_of(WeightsFormat format) {
  for (const auto& [candidate, name] : kNames) {
    if (candidate == format) return name;
  }
  return "";
}

WeightsFormat weights_format_from(const std::string& word) {
  for (const auto& [format, name] : kNames) {
    if (word == name) return format;
  }
  throw ConfigError(
      cat("weights are of format effuse, diffusers, safetensors or iddm, not ", word));
}

WeightsFormat detect_format(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    return is_diffusers_folder(path) ? WeightsFormat::diffusers : WeightsFormat::effuse;
  }
  if (!std::filesystem::exists(path)) {
    throw CheckpointError(cat(path.string(),
                              " does not exist (weights come from a run folder, a checkpoint, or "
                              "what effuse-convert wrote)"));
  }
  if (looks_like_safetensors(path)) return WeightsFormat::safetensors;
  if (TorchFile::is_one(path)) return WeightsFormat::iddm;
  throw CheckpointError(
      cat(path.string(),
          " is of no known format (weights are a run folder, a checkpoint, a diffusers folder, a "
          ".safetensors file or a .pt of IDDM). Is it the right file, and whole?"));
}

ModelFile read_model(const std::filesystem::path& path, WeightsFormat format,
                     const ReadOptions& options) {
  ModelFile file = read(path, format, options);
  require_plausible(file, path);
  return file;
}

NamedTensors read_tensors(const std::filesystem::path& path, WeightsFormat format,
                          WeightsKind kind) {
  switch (format) {
    case WeightsFormat::effuse:
      return load_weights(path, kind).tensors;
    case WeightsFormat::diffusers:
      return read_diffusers_tensors(path);
    case WeightsFormat::safetensors:
      return read_safetensors(path).tensors;
    case WeightsFormat::iddm:
      break;
  }
  return read_iddm_tensors(path, kind);
}

void require_fitting(const ModelFile& file) {
  Config readable;
  read_toml_text(readable, state_of(file).config_toml, "the model as Effuse would describe it");
  const auto network = make_network(file.model);
  const auto misfits = find_misfits(*network, file.tensors);
  if (misfits.empty()) return;
  std::string message = cat(misfits.size(), misfits.size() == 1 ? " tensor does" : " tensors do",
                            " not fit the network ", file.model.name,
                            " as the input describes it (was it changed, or made by another "
                            "release?)");
  for (const std::string& misfit : misfits) message += "\n  " + misfit;
  throw CheckpointError(message);
}

RunState state_of(const ModelFile& file) {
  Config config;
  config.model = file.model;
  config.model.pretrained.clear();  // where training began, not what the model is
  config.diffusion = file.diffusion;
  RunState state;
  state.step = file.step;
  state.config_toml = to_toml(config, {"model", "diffusion"});
  state.class_names = file.class_names;
  return state;
}

void apply_state(ModelFile& file, const RunState& state, const std::string& where) {
  Config config;
  read_toml_text(config, state.config_toml, cat("the configuration in ", where));
  file.model = config.model;
  file.model.pretrained.clear();
  file.diffusion = config.diffusion;
  file.class_names = state.class_names;
  file.step = state.step;
  file.dataset_folder = config.data.folder;
  file.dataset_fingerprint = state.dataset_fingerprint;
}

}  // namespace effuse
