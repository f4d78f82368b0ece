#pragma once

#include <filesystem>

#include "config/config.hpp"

namespace effuse {

/// Where the picture of a result goes: beside it.
std::filesystem::path picture_beside(std::filesystem::path result);

/// Throws ConfigError naming `key` where `file`, in a folder that may still have to be made, cannot
/// be written. Leaves nothing behind.
void require_writable(const std::filesystem::path& file, const char* key);

/// Throws ConfigError where evaluation.output or evaluation.save_statistics cannot be written, or
/// one of them or the picture would replace another or what is read, or join the images that are
/// scored; or where `outcome`, unless that is empty, is the name of one of them.
void require_result_files(const EvaluationConfig& config, const std::filesystem::path& outcome);

}  // namespace effuse
