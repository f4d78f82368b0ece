#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "report/run_documents.hpp"

namespace effuse {

/// A checkpoint of a run, as its manifest has it.
struct RunCheckpoint {
  std::int64_t step = 0;
  std::uint64_t size_bytes = 0;  ///< of its files together
  double written_unix_s = 0;
  bool is_latest = false;
  bool is_best = false;
  std::map<std::string, std::string> sha256;  ///< by name of file
};

/// Those that are there, ascending. One without a manifest that can be read is left out, with a
/// sentence in `problems`. Reads no weights.
std::vector<RunCheckpoint> read_run_checkpoints(const std::filesystem::path& folder,
                                                Problems& problems);

}  // namespace effuse
