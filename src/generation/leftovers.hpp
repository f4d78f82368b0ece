#pragma once

#include <cstdint>
#include <filesystem>

namespace effuse {

/// Removes, in `folder`, files under temporary names (temporary_sibling()) of files that are named
/// by a number in [first, end): ".00000012.png.tmp-815". Writers that were killed leave them.
void remove_leftovers(const std::filesystem::path& folder, std::int64_t first, std::int64_t end);

/// Removes all files under temporary names in `folder` itself.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace effuse
