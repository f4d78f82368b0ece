#include "app/run_folder.hpp"

#include <chrono>
#include <ctime>
#include <iomanip>
#include <sstream>
#include <vector>

#include "core/files.hpp"
#include "core/text.hpp"
#include "core/zero_padded.hpp"

namespace effuse {
namespace {

std::string time_for_names() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::ostringstream out;
  out << std::put_time(&utc, "%Y%m%dT%H%M%SZ");
  return out.str();
}

}  // namespace

RunFolder::RunFolder(const RunConfig& run) : path_(std::filesystem::path(run.folder) / run.name) {}

std::filesystem::path RunFolder::log(int rank) const {
  return path_ / "logs" / cat("rank-", zero_padded(rank, 4), ".log");
}

std::filesystem::path RunFolder::target(int rank) const {
  return path_ / "metrics" / "targets" / cat("rank-", zero_padded(rank, 4), ".json");
}

std::filesystem::path RunFolder::final_values(int rank) const {
  return path_ / "metrics" / "final" / cat("rank-", zero_padded(rank, 4), ".prom");
}

std::filesystem::path RunFolder::preview(std::int64_t step) const {
  return path_ / "previews" / cat("step-", zero_padded(step, 8), ".png");
}

void RunFolder::create() const {
  for (const char* folder : {"logs", "metrics/targets", "previews", "checkpoints"}) {
    std::filesystem::create_directories(path_ / folder);
  }
}

void RunFolder::clear_leftovers() const {
  std::vector<std::filesystem::path> leftovers;
  for (const char* folder :
       {".", "metrics", "metrics/targets", "metrics/draws", "metrics/final", "previews"}) {
    if (!std::filesystem::is_directory(path_ / folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(path_ / folder)) {
      if (is_temporary_name(entry.path())) leftovers.push_back(entry.path());
    }
  }
  for (const auto& leftover : leftovers) std::filesystem::remove_all(leftover);
}

std::unique_ptr<LockFile> RunFolder::lock() const {
  const std::filesystem::path runs =
      path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  std::filesystem::create_directories(runs);
  return std::make_unique<LockFile>(runs / cat(".", path_.filename().string(), ".lock"),
                                    cat("the run ", path_.string()),
                                    "Stop that job, wait for its end, or choose another --name.");
}

std::filesystem::path RunFolder::move_aside() const {
  if (!std::filesystem::exists(path_)) return {};
  const std::string name = cat(path_.string(), ".before-", time_for_names());
  std::filesystem::path aside = name;
  for (int n = 2; std::filesystem::exists(aside); ++n) aside = cat(name, "-", n);
  rename_durably(path_, aside);
  const auto records = aside / submissions().filename();
  if (std::filesystem::exists(records)) {
    std::filesystem::create_directories(path_);
    rename_durably(records, submissions());
  }
  return aside;
}

}  // namespace effuse
