#include "shards/output_folder.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/number_pair.hpp"
#include "core/text.hpp"
#include "shards/part_files.hpp"
#include "shards/quarantine.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".tmp-";
constexpr std::string_view kWait = "Wait for it, or choose another --output.";

bool is_temporary(const std::string& name) {
  return is_temporary_name(name) &&
         (name.starts_with(".shard-") || name.starts_with(".part-") ||
          name.starts_with(".dataset.json.") || name.starts_with(".quarantine.csv."));
}

bool is_shard(const std::string& name) {
  return name.starts_with("shard-") && name.ends_with(".h5");
}

/// The number in a shard's name, or in that of a file that was to become one.
std::optional<std::int64_t> shard_number(std::string_view name) {
  constexpr std::string_view kBegin = "shard-";
  if (name.starts_with('.')) name.remove_prefix(1);
  if (!name.starts_with(kBegin)) return std::nullopt;
  name.remove_prefix(kBegin.size());
  return plain_number(name.substr(0, name.find('.')));
}

bool is_in(const std::vector<ShardEntry>& shards, const std::string& name) {
  return std::ranges::any_of(shards, [&](const ShardEntry& shard) { return shard.file == name; });
}

/// Removes the files of the folder of whose names `is_doomed` is true.
template <class Predicate>
void remove_files(const fs::path& folder, Predicate is_doomed) {
  std::vector<fs::path> doomed;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_doomed(entry.path().filename().string())) doomed.push_back(entry.path());
  }
  for (const fs::path& path : doomed) fs::remove(path);
}

}  // namespace

std::unique_ptr<LockFile> lock_output(const fs::path& folder) {
  return std::make_unique<LockFile>(folder / ".lock", folder.string(), kWait);
}

std::unique_ptr<LockFile> lock_part(const fs::path& folder, const Part& part) {
  return std::make_unique<LockFile>(part_lock_path(folder, part),
                                    cat("part ", part.text(), " of ", folder.string()), kWait);
}

std::unique_ptr<LockFile> wait_for_turn(const fs::path& folder) {
  return std::make_unique<LockFile>(folder / ".turn.lock");
}

void require_unshared(const fs::path& folder, const Part& part) {
  for (const Part& other : locked_parts_in(folder)) {
    if (other.of != part.of) lock_part(folder, other);
  }
}

void clear_output(const fs::path& folder, const std::vector<ShardEntry>& keep) {
  if (keep.empty()) {
    // The manifest goes first: without its shards it would be a lie.
    fs::remove(manifest_path(folder));
    fs::remove(quarantine_path(folder));
  }
  remove_files(folder, [&](const std::string& name) {
    return is_temporary(name) || (is_shard(name) && !is_in(keep, name));
  });
}

void clear_part(const fs::path& folder, const Part& part, const IndexRange& numbers,
                const std::vector<ShardEntry>& keep) {
  const std::string own =
      cat(".", part_manifest_path(folder, part).filename().string(), kTemporary);
  remove_files(folder, [&](const std::string& name) {
    if (name.starts_with(own)) return true;
    const auto number = shard_number(name);
    return number && numbers.first <= *number && *number < numbers.end &&
           (is_temporary(name) || (is_shard(name) && !is_in(keep, name)));
  });
}

void remove_part_manifests(const fs::path& folder, std::int64_t but_of) {
  for (const Part& part : parts_in(folder)) {
    if (part.of != but_of) fs::remove(part_manifest_path(folder, part));
  }
}

void remove_free_part_locks(const fs::path& folder) {
  for (const Part& part : locked_parts_in(folder)) {
    try {
      lock_part(folder, part);
    } catch (const ConfigError&) {
      // Its process lives, and removes it.
    }
  }
}

}  // namespace effuse
