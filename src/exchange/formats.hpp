#pragma once

#include <filesystem>

#include "exchange/model_file.hpp"

/// The readers behind read_model(), one a format, and the writers.
namespace effuse {

ModelFile read_effuse(const std::filesystem::path& path, WeightsKind kind);
ModelFile read_diffusers(const std::filesystem::path& path);
ModelFile read_safetensors_model(const std::filesystem::path& path);
ModelFile read_iddm(const std::filesystem::path& path, const ReadOptions& options);

/// Whether a folder is one of diffusers, a whole pipeline or a network alone.
bool is_diffusers_folder(const std::filesystem::path& path);

NamedTensors read_diffusers_tensors(const std::filesystem::path& path);
NamedTensors read_iddm_tensors(const std::filesystem::path& path, WeightsKind kind);

/// The writers make `path` appear whole or not at all. Throw ConfigError where `path` exists or the
/// format cannot hold the model, CheckpointError where writing fails.

/// A folder like a checkpoint's: model.safetensors, state.json, manifest.json.
void write_effuse(const ModelFile& file, const std::filesystem::path& path);

/// A folder that DDPMPipeline.from_pretrained() opens, and effuse.json, with which it can be read
/// back without loss. unet2d only.
void write_diffusers(const ModelFile& file, const std::filesystem::path& path);

/// One file, the model in its metadata.
void write_safetensors_model(const ModelFile& file, const std::filesystem::path& path);

/// The checks of the writers, without writing.
void check_output(const std::filesystem::path& path);
void check_diffusers_export(const ModelFile& file);

}  // namespace effuse
