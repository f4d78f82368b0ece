#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shards/manifest.hpp"

namespace effuse {

std::filesystem::path quarantine_path(const std::filesystem::path& dataset);

/// quarantine.csv: columns path and reason, sorted by the bytes of the path, quoted as RFC 4180
/// says. Atomic; without unreadable images the file is removed. Throws std::system_error.
void write_quarantine(const std::vector<UnreadableImage>& unreadable,
                      const std::filesystem::path& dataset);

}  // namespace effuse
