#include "shards/quarantine.hpp"

#include <algorithm>

#include "core/files.hpp"

namespace effuse {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + "\"";
}

}  // namespace

std::filesystem::path quarantine_path(const std::filesystem::path& dataset) {
  return dataset / "quarantine.csv";
}

void write_quarantine(const std::vector<UnreadableImage>& unreadable,
                      const std::filesystem::path& dataset) {
  if (unreadable.empty()) {
    std::filesystem::remove(quarantine_path(dataset));
    return;
  }
  std::vector<UnreadableImage> sorted = unreadable;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  std::string text = "path,reason\n";
  for (const UnreadableImage& image : sorted) {
    text += quoted(image.path) + "," + quoted(image.reason) + "\n";
  }
  write_file_atomically(quarantine_path(dataset), text);
}

}  // namespace effuse
