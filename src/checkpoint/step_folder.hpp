#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/file_operations.hpp"
#include "checkpoint/run_state.hpp"
#include "checkpoint/safetensors.hpp"

namespace effuse {

inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kEmaFile = "ema.safetensors";
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";
inline constexpr const char* kStateFile = "state.json";
inline constexpr const char* kManifestFile = "manifest.json";

/// "step-00012000".
std::string step_name(std::int64_t step);

/// Where the checkpoint of a step is kept while another takes its name: ".step-00012000.replaced".
std::filesystem::path replaced_sibling(const std::filesystem::path& step_folder);

/// The steps that `checkpoints` holds, whole or not, with their folders. A step whose replacement
/// was cut short is found where the replacement had put it.
std::map<std::int64_t, std::filesystem::path> list_steps(const std::filesystem::path& checkpoints);

/// What manifest.json says: every file of a checkpoint with its size and checksum.
struct Manifest {
  std::int64_t step = 0;
  std::map<std::string, FileRecord> files;
};

/// Without white space, so that no byte of it can be damaged and go unseen.
std::string to_json(const Manifest& manifest);

/// One checkpoint on disk, read through its manifest: no file is used before its size and SHA-256
/// were found right. Every function throws CheckpointError "FOLDER is damaged: …".
class StepFolder {
 public:
  /// Reads the manifest.
  explicit StepFolder(std::filesystem::path folder);

  std::int64_t step() const { return manifest_.step; }

  /// Whether this is no checkpoint but weights by themselves, as effuse-convert writes them: the
  /// manifest names neither ema.safetensors nor optimizer.safetensors.
  bool holds_weights_alone() const;

  const FileRecord& record_of(const std::string& file) const;

  void verify(const std::string& file) const;
  void verify_all() const;

  NamedTensors tensors(const std::string& file) const;
  RunState state() const;

 private:
  [[noreturn]] void reject(const std::string& problem) const;

  std::filesystem::path folder_;
  Manifest manifest_;
};

}  // namespace effuse
