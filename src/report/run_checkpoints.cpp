#include "report/run_checkpoints.hpp"

#include <algorithm>
#include <system_error>

#include "core/text.hpp"
#include "report/file_time.hpp"
#include "report/json_file.hpp"
#include "report/step_in_name.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";

/// The step that a link leads to; -1 where there is none.
std::int64_t step_behind(const fs::path& link) {
  std::error_code absent;
  const fs::path target = fs::read_symlink(link, absent);
  return absent ? -1 : step_in_name(target.filename().string()).value_or(-1);
}

RunCheckpoint checkpoint_of(std::int64_t step, const fs::path& folder, const Json& manifest) {
  RunCheckpoint checkpoint;
  checkpoint.step = step;
  checkpoint.written_unix_s = changed_unix_s(folder / kManifest);
  const auto files = manifest.find("files");
  if (files == manifest.end() || !files->is_object()) return checkpoint;
  for (const auto& [name, record] : files->items()) {
    checkpoint.size_bytes += static_cast<std::uint64_t>(integer_in(record, "size_bytes"));
    checkpoint.sha256[name] = text_in(record, "sha256");
  }
  return checkpoint;
}

}  // namespace

std::vector<RunCheckpoint> read_run_checkpoints(const fs::path& folder, Problems& problems) {
  std::vector<RunCheckpoint> checkpoints;
  if (!fs::is_directory(folder)) return checkpoints;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const auto step = step_in_name(name);
    std::error_code gone;  // an old one may be removed at this very moment
    if (!step || entry.is_symlink(gone) || !entry.is_directory(gone)) continue;
    const std::string manifest_name = cat("checkpoints/", name, "/", kManifest);
    const bool is_there = fs::exists(entry.path() / kManifest, gone);
    const auto manifest = read_json_object(entry.path() / kManifest, problems, manifest_name);
    if (manifest) {
      checkpoints.push_back(checkpoint_of(*step, entry.path(), *manifest));
    } else if (!is_there && fs::exists(entry.path(), gone)) {
      problems.push_back(cat(manifest_name, " is missing: this checkpoint is left out."));
    }
  }
  std::ranges::sort(checkpoints, {}, &RunCheckpoint::step);
  const std::int64_t latest = step_behind(folder / "latest");
  const std::int64_t best = step_behind(folder / "best");
  for (RunCheckpoint& checkpoint : checkpoints) {
    checkpoint.is_latest = checkpoint.step == latest;
    checkpoint.is_best = checkpoint.step == best;
  }
  return checkpoints;
}

}  // namespace effuse
