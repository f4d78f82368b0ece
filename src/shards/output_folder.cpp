#include "shards/output_folder.hpp"

#include <algorithm>

#include "shards/quarantine.hpp"

namespace effuse {
namespace {

bool is_temporary(const std::string& name) {
  return name.find(".tmp-") != std::string::npos &&
         (name.starts_with(".shard-") || name.starts_with(".dataset.json.") ||
          name.starts_with(".quarantine.csv."));
}

bool is_shard(const std::string& name) {
  return name.starts_with("shard-") && name.ends_with(".h5");
}

}  // namespace

LockFile lock_output(const std::filesystem::path& folder) {
  return LockFile(folder / ".lock", folder.string(), "Wait for it, or choose another --output.");
}

void clear_output(const std::filesystem::path& folder, const std::vector<ShardEntry>& keep) {
  if (keep.empty()) {
    // The manifest goes first: without its shards it would be a lie.
    std::filesystem::remove(manifest_path(folder));
    std::filesystem::remove(quarantine_path(folder));
  }
  std::vector<std::filesystem::path> doomed;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool kept = std::any_of(keep.begin(), keep.end(),
                                  [&](const ShardEntry& shard) { return shard.file == name; });
    if (is_temporary(name) || (is_shard(name) && !kept)) doomed.push_back(entry.path());
  }
  for (const std::filesystem::path& path : doomed) std::filesystem::remove(path);
}

}  // namespace effuse
