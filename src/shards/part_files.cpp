#include "shards/part_files.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>

#include "core/number_pair.hpp"
#include "core/text.hpp"
#include "core/zero_padded.hpp"
#include "shards/manifest.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifest = "part-";
constexpr std::string_view kManifestEnd = ".json";
constexpr std::string_view kLock = ".part-";
constexpr std::string_view kLockEnd = ".lock";
constexpr std::string_view kOf = "-of-";
constexpr int kDigits = 5;

std::string name_of(const Part& part, std::string_view begin, std::string_view end) {
  return cat(begin, zero_padded(part.number, kDigits), kOf, zero_padded(part.of, kDigits), end);
}

/// The part that a file of this name belongs to.
std::optional<Part> part_of(const std::string& name, std::string_view begin, std::string_view end) {
  const std::size_t middle = name.find(kOf);
  if (middle == std::string::npos || middle < begin.size() || !name.starts_with(begin) ||
      !name.ends_with(end)) {
    return std::nullopt;
  }
  const std::string_view text = name;
  const auto number = plain_number(text.substr(0, middle).substr(begin.size()));
  const std::string_view rest = text.substr(middle + kOf.size());
  const auto of = plain_number(rest.substr(0, rest.size() - end.size()));
  if (!number || !of) return std::nullopt;
  const Part part{*number, *of};
  if (name_of(part, begin, end) != name) return std::nullopt;
  return part;
}

std::vector<Part> parts_of_files(const fs::path& folder, std::string_view begin,
                                 std::string_view end) {
  std::vector<Part> parts;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto part = part_of(entry.path().filename().string(), begin, end);
    if (part) parts.push_back(*part);
  }
  std::ranges::sort(parts, {}, [](const Part& part) { return std::tuple(part.of, part.number); });
  return parts;
}

}  // namespace

fs::path part_manifest_path(const fs::path& dataset, const Part& part) {
  return part.is_all() ? manifest_path(dataset) : dataset / name_of(part, kManifest, kManifestEnd);
}

fs::path part_lock_path(const fs::path& dataset, const Part& part) {
  return dataset / name_of(part, kLock, kLockEnd);
}

std::vector<Part> parts_in(const fs::path& dataset) {
  return parts_of_files(dataset, kManifest, kManifestEnd);
}

std::vector<Part> locked_parts_in(const fs::path& dataset) {
  return parts_of_files(dataset, kLock, kLockEnd);
}

}  // namespace effuse
