#include "app/outcome.hpp"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/utf8.hpp"

namespace effuse {
namespace {

constexpr const char* kRunning = "running";

/// What outcome.json tells of the last attempt; a damaged file tells nothing.
struct Attempt {
  std::int64_t number = 0;
  std::int64_t step = 0;
  std::int64_t total_steps = 0;
  std::string outcome;
  std::string start;
  std::int64_t began_after = 0;
  std::int64_t began_there = 0;  // how often in a row
};

/// Of this process; empty outside Slurm. Each element of an array has its own.
std::string slurm_job() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return job != nullptr ? job : "";
}

Attempt last_attempt(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const auto record = nlohmann::json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return {};
  const auto text = [&](const char* key) {
    const auto found = record.find(key);
    return found != record.end() && found->is_string() ? found->get<std::string>() : "";
  };
  const auto number = [&](const char* key) {
    const auto found = record.find(key);
    return found != record.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
  };
  return {number("attempt"), number("step"),        number("total_steps"), text("outcome"),
          text("start"),     number("began_after"), number("began_there")};
}

}  // namespace

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

std::string unfinished_start(const std::filesystem::path& file) {
  const Attempt last = last_attempt(file);
  return last.outcome == outcome_name(ExitCode::done) ? "" : last.start;
}

std::int64_t last_step(const std::filesystem::path& file) { return last_attempt(file).step; }

bool may_become_outcome(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return true;
  const std::string text = read_file(file);
  const auto record = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return text.empty() || (record.is_object() && record.contains("outcome"));
}

std::int64_t begin_outcome(const std::filesystem::path& file, std::int64_t step,
                           const std::string& start, std::int64_t total_steps) {
  const Attempt last = last_attempt(file);
  const std::int64_t began_there = last.began_after == step ? last.began_there + 1 : 1;
  const nlohmann::ordered_json json = {{"outcome", kRunning},
                                       {"exit_code", nullptr},
                                       {"step", step},
                                       {"total_steps", total_steps},
                                       {"reason", "began, and has not ended yet or was killed"},
                                       {"start", start},
                                       {"slurm_job", slurm_job()},
                                       {"attempt", last.number + 1},
                                       {"began_after", step},
                                       {"began_there", began_there}};
  write_file_atomically(file, json.dump(2) + "\n");
  return began_there;
}

void write_outcome(const std::filesystem::path& file, const OutcomeRecord& record) {
  const Attempt last = last_attempt(file);
  const bool begun = record.begun || last.outcome == kRunning;
  // An attempt that was refused before it began changes nothing of what there is to repeat.
  const bool unfinished = !last.start.empty() && last.outcome != outcome_name(ExitCode::done);
  const nlohmann::ordered_json json = {{"outcome", record.outcome},
                                       {"exit_code", static_cast<int>(record.exit_code)},
                                       {"step", record.step},
                                       {"total_steps", last.total_steps},
                                       {"reason", valid_utf8(record.reason)},
                                       {"start", unfinished ? last.start : "continue"},
                                       {"slurm_job", slurm_job()},
                                       {"attempt", last.number + (begun ? 0 : 1)},
                                       {"began_after", last.began_after},
                                       {"began_there", last.began_there}};
  write_file_atomically(file, json.dump(2) + "\n");
}

}  // namespace effuse
