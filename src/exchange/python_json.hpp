#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace effuse {

/// JSON of a file that Python's json module wrote: NaN, Infinity and -Infinity, which it has beyond
/// the standard, are null here. Throws CheckpointError naming the file that cannot be read or is no
/// JSON.
nlohmann::ordered_json read_python_json(const std::filesystem::path& path);

/// `text` with null in place of those words, outside of strings.
std::string without_non_numbers(std::string_view text);

}  // namespace effuse
