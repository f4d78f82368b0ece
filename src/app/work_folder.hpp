#pragma once

#include <filesystem>
#include <memory>

#include "config/config.hpp"
#include "core/lock_file.hpp"

namespace effuse {

/// The folder beside the result of an evaluation in which it keeps what it has computed, so that
/// the same command continues after a stop or a kill: "result.json.parts".
class WorkFolder {
 public:
  /// Beside evaluation.output, or else evaluation.save_statistics.
  explicit WorkFolder(const EvaluationConfig& config);

  /// Whether there is a result to stand beside; otherwise nothing is kept.
  bool exists() const { return !path_.empty(); }

  /// Of each side. Empty where nothing is kept.
  std::filesystem::path images() const { return side("images"); }
  std::filesystem::path reference() const { return side("reference"); }

  /// Makes the folder of the result, and keeps other jobs from it. By one rank. Throws ConfigError
  /// where another job is at it.
  std::unique_ptr<LockFile> lock() const;

  /// Once the result is there. By the rank that has the lock(). What cannot be removed is said.
  void remove() const;

 private:
  std::filesystem::path side(const char* name) const;

  std::filesystem::path result_, path_;
};

}  // namespace effuse
