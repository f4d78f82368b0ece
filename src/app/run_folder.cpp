#include "app/run_folder.hpp"

#include <chrono>
#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

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

constexpr const char* kRunning = "running";

struct Attempt {
  std::int64_t number = 0;
  bool is_running = false;
};

Attempt last_attempt(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const auto record = nlohmann::json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object() || !record.contains("attempt")) return {};
  const auto& number = record["attempt"];
  return {number.is_number_integer() ? number.get<std::int64_t>() : 0,
          record.contains("outcome") && record["outcome"] == kRunning};
}

}  // namespace

RunFolder::RunFolder(const RunConfig& run) : path_(std::filesystem::path(run.folder) / run.name) {}

std::filesystem::path RunFolder::log(int rank) const {
  return path_ / "logs" / cat("rank-", zero_padded(rank, 4), ".log");
}

std::filesystem::path RunFolder::target(int rank) const {
  return path_ / "metrics" / "targets" / cat("rank-", zero_padded(rank, 4), ".json");
}

void RunFolder::create() const {
  for (const char* folder : {"logs", "metrics/targets", "previews", "checkpoints"}) {
    std::filesystem::create_directories(path_ / folder);
  }
}

std::filesystem::path RunFolder::move_aside() const {
  if (!std::filesystem::exists(path_)) return {};
  const std::string name = cat(path_.string(), ".before-", time_for_names());
  std::filesystem::path aside = name;
  for (int n = 2; std::filesystem::exists(aside); ++n) aside = cat(name, "-", n);
  rename_durably(path_, aside);
  return aside;
}

std::string outcome_name(ExitCode code) {
  switch (code) {
    case ExitCode::done:
      return "done";
    case ExitCode::stopped:
      return "stopped";
    case ExitCode::bad_configuration:
      return "bad configuration";
    case ExitCode::bad_data:
      return "bad data";
    case ExitCode::failure:
      break;
  }
  return "failure";
}

void begin_outcome(const std::filesystem::path& file, std::int64_t step) {
  const nlohmann::ordered_json json = {{"outcome", kRunning},
                                       {"exit_code", nullptr},
                                       {"step", step},
                                       {"reason", "began, and has not ended yet or was killed"},
                                       {"attempt", last_attempt(file).number + 1}};
  write_file_atomically(file, json.dump(2) + "\n");
}

void write_outcome(const std::filesystem::path& file, const OutcomeRecord& record) {
  const Attempt last = last_attempt(file);
  const nlohmann::ordered_json json = {{"outcome", record.outcome},
                                       {"exit_code", static_cast<int>(record.exit_code)},
                                       {"step", record.step},
                                       {"reason", record.reason},
                                       {"attempt", last.number + (last.is_running ? 0 : 1)}};
  write_file_atomically(file, json.dump(2) + "\n");
}

}  // namespace effuse
