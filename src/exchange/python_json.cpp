#include "exchange/python_json.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"

namespace effuse {

std::string without_non_numbers(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kWords{"-Infinity", "Infinity", "NaN"};
  std::string plain;
  bool quoted = false;
  while (!text.empty()) {
    std::size_t length = 1;
    std::string_view kept = text.substr(0, 1);
    if (quoted && text[0] == '\\') {
      length = std::min<std::size_t>(2, text.size());
      kept = text.substr(0, length);
    } else if (text[0] == '"') {
      quoted = !quoted;
    }
    for (const std::string_view word : kWords) {
      if (quoted || !text.starts_with(word)) continue;
      length = word.size();
      kept = "null";
      break;
    }
    plain += kept;
    text.remove_prefix(length);
  }
  return plain;
}

nlohmann::ordered_json read_python_json(const std::filesystem::path& path) {
  try {
    return nlohmann::ordered_json::parse(without_non_numbers(read_file(path)));
  } catch (const std::system_error& error) {
    throw CheckpointError(cat("cannot read ", error.what()));
  } catch (const nlohmann::json::exception& error) {
    throw CheckpointError(cat(path.string(), " is malformed JSON (", error.what(), ")"));
  }
}

}  // namespace effuse
