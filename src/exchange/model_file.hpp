#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/load_weights.hpp"
#include "checkpoint/run_state.hpp"
#include "checkpoint/safetensors.hpp"
#include "config/config.hpp"

namespace effuse {

/// Who wrote a file or folder of weights.
enum class WeightsFormat {
  effuse,       ///< run folder, checkpoint, or what write_effuse() wrote
  diffusers,    ///< folder of a DDPMPipeline or of a UNet2DModel alone
  safetensors,  ///< one file, with the model in its metadata as write_safetensors_model() writes it
  iddm,         ///< a .pt of IDDM, or any state_dict of its networks
};

/// The format's name on the command line, and back. Throws ConfigError for another word.
const char* name_of(WeightsFormat format);
WeightsFormat weights_format_from(const std::string& word);

/// The format that `path` is of, by its contents. Throws CheckpointError where there is nothing, or
/// nothing that is known.
WeightsFormat detect_format(const std::filesystem::path& path);

/// A model in one piece, whatever it came from. Tensors are as they were stored, never passed
/// through a network, so that what is read and written again has the same bytes.
struct ModelFile {
  WeightsFormat format = WeightsFormat::effuse;
  ModelConfig model;  ///< resolved
  DiffusionConfig diffusion;
  std::vector<std::string> class_names;  ///< by label, without the null class; empty: unconditional
  std::int64_t step = 0;                 ///< optimiser steps done; 0 where unknown
  std::string dataset_folder;       ///< trained on, as data.folder said it; empty where unknown
  std::string dataset_fingerprint;  ///< of that data set; empty where unknown
  NamedTensors tensors;
  std::string sha256;                 ///< of the file the tensors came from
  std::vector<std::string> notes;     ///< what a person should know who uses the model
  std::vector<std::string> warnings;  ///< damaged checkpoints passed over
};

/// What a file may leave unsaid.
struct ReadOptions {
  WeightsKind kind = WeightsKind::ema;
  DiffusionConfig diffusion;     ///< IDDM stores no schedule
  std::string act_fn;            ///< for an IDDM file that does not say it; empty: refuse those
  std::int64_t sample_size = 0;  ///< the same
};

/// Reads a model of a format. Throws CheckpointError for what is missing, damaged or hostile,
/// ConfigError for what Effuse cannot represent or has to be told; each names the file.
ModelFile read_model(const std::filesystem::path& path, WeightsFormat format,
                     const ReadOptions& options = {});

/// Tensors alone, by Effuse's names, of any format; here a safetensors file needs no metadata.
NamedTensors read_tensors(const std::filesystem::path& path, WeightsFormat format,
                          WeightsKind kind);

/// Whether a .pt of IDDM holds averaged weights.
bool has_average(const std::filesystem::path& path);

/// Throws CheckpointError listing what does not fit the network that the model describes, and
/// ConfigError where that network cannot be built or is beyond the range of a key.
void require_fitting(const ModelFile& file);

/// What state.json and metadata say of a model, and back: [model], [diffusion], classes, step.
RunState state_of(const ModelFile& file);
void apply_state(ModelFile& file, const RunState& state, const std::string& where);

}  // namespace effuse
