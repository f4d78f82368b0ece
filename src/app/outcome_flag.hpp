#pragma once

#include <filesystem>
#include <memory>

#include "config/command_line.hpp"
#include "core/lock_file.hpp"

namespace effuse {

/// --outcome FILE, of programs that have no run folder for an outcome.json.
ExtraFlag outcome_flag();

/// What the flag names; empty where it was not given. Throws ConfigError for a name that is empty.
std::filesystem::path outcome_file(const CommandLine& line);

/// Throws ConfigError where the file cannot be written, or holds something else than an outcome.
/// Leaves nothing behind.
void require_outcome_file(const std::filesystem::path& file);

/// Writes outcome "running", with the folders of the file, after require_outcome_file(). To be
/// called by one rank, and the result kept until how the job ended is written: it keeps the file
/// from other jobs, of which this throws ConfigError.
std::unique_ptr<LockFile> claim_outcome(const std::filesystem::path& file);

}  // namespace effuse
