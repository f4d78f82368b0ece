#pragma once

#include <filesystem>
#include <functional>

namespace effuse {

/// Makes `path` appear whole or not at all: `write` fills a temporary name beside it (it makes the
/// folder or file itself), which is then renamed. Removes what was begun where anything fails.
/// Throws ConfigError where `path` exists, CheckpointError where the disk refuses.
void write_output(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path&)>& write);

}  // namespace effuse
