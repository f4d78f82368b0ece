#include "checkpoint/step_folder.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::size_t kDigits = 8;
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kReplaced = ".replaced";
constexpr std::array kFiles{kModelFile, kEmaFile, kOptimizerFile, kStateFile};

/// The step of a name as step_name() makes it, -1 for any other.
std::int64_t step_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return -1;
  name.remove_prefix(kPrefix.size());
  std::int64_t step = -1;
  const auto result = std::from_chars(name.data(), name.data() + name.size(), step);
  const bool whole = result.ec == std::errc() && result.ptr == name.data() + name.size();
  return whole && step >= 0 && name.size() >= kDigits ? step : -1;
}

/// The same for ".step-00012000.replaced".
std::int64_t replaced_step_of(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kReplaced)) return -1;
  return step_of(name.substr(1, name.size() - 1 - kReplaced.size()));
}

Manifest manifest_of(const Json& json) {
  Manifest manifest;
  if (json.at("format").get<int>() != kFormat) {
    throw CheckpointError(cat("its manifest is of format ", json.at("format").dump(),
                              ", this release reads format ", kFormat));
  }
  json.at("step").get_to(manifest.step);
  for (const auto& [name, record] : json.at("files").items()) {
    manifest.files[name] = {record.at("size_bytes").get<std::uint64_t>(),
                            record.at("sha256").get<std::string>()};
  }
  const bool weights_alone =
      !manifest.files.contains(kEmaFile) && !manifest.files.contains(kOptimizerFile);
  for (const char* file : kFiles) {
    if (weights_alone && (file == kEmaFile || file == kOptimizerFile)) continue;
    if (!manifest.files.contains(file)) throw CheckpointError(cat("its manifest lacks ", file));
  }
  return manifest;
}

}  // namespace

std::string step_name(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return cat(kPrefix, digits);
}

std::filesystem::path replaced_sibling(const std::filesystem::path& step_folder) {
  return step_folder.parent_path() / cat(".", step_folder.filename().string(), kReplaced);
}

std::map<std::int64_t, std::filesystem::path> list_steps(const std::filesystem::path& checkpoints) {
  std::map<std::int64_t, std::filesystem::path> steps;
  std::map<std::int64_t, std::filesystem::path> replaced;
  if (!std::filesystem::is_directory(checkpoints)) return steps;
  for (const auto& entry : std::filesystem::directory_iterator(checkpoints)) {
    if (!entry.is_directory() || entry.is_symlink()) continue;
    const std::string name = entry.path().filename().string();
    if (const auto step = step_of(name); step >= 0) steps[step] = entry.path();
    if (const auto step = replaced_step_of(name); step >= 0) replaced[step] = entry.path();
  }
  steps.merge(replaced);
  return steps;
}

std::string to_json(const Manifest& manifest) {
  Json files = Json::object();
  for (const auto& [name, record] : manifest.files) {
    files[name] = {{"size_bytes", record.size_bytes}, {"sha256", record.sha256}};
  }
  return Json{{"format", kFormat}, {"step", manifest.step}, {"files", files}}.dump();
}

StepFolder::StepFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
  try {
    manifest_ = manifest_of(Json::parse(read_file(folder_ / kManifestFile)));
  } catch (const std::system_error& error) {
    reject(error.what());
  } catch (const CheckpointError& error) {
    reject(error.what());
  } catch (const Json::exception& error) {
    reject(cat(kManifestFile, " is malformed (", error.what(), ")"));
  }
}

void StepFolder::reject(const std::string& problem) const {
  throw CheckpointError(cat(folder_.string(), " is damaged: ", problem));
}

const FileRecord& StepFolder::record_of(const std::string& file) const {
  const auto found = manifest_.files.find(file);
  if (found == manifest_.files.end()) {
    reject(cat("it holds weights alone, as effuse-convert writes them, and no ", file));
  }
  return found->second;
}

bool StepFolder::holds_weights_alone() const { return !manifest_.files.contains(kEmaFile); }

void StepFolder::verify(const std::string& file) const {
  const FileRecord& expected = record_of(file);
  try {
    const std::uint64_t size_bytes = std::filesystem::file_size(folder_ / file);
    if (size_bytes != expected.size_bytes) {
      reject(cat(file, " has ", size_bytes, " bytes, its manifest says ", expected.size_bytes));
    }
    if (sha256_of_file(folder_ / file) != expected.sha256) {
      reject(cat("the contents of ", file, " have changed (their SHA-256 is not the manifest's)"));
    }
  } catch (const std::system_error& error) {
    reject(error.what());
  }
}

void StepFolder::verify_all() const {
  for (const char* file : kFiles) verify(file);
}

NamedTensors StepFolder::tensors(const std::string& file) const {
  verify(file);
  return read_safetensors(folder_ / file).tensors;
}

RunState StepFolder::state() const {
  verify(kStateFile);
  const RunState state =
      run_state_from_json(read_file(folder_ / kStateFile), (folder_ / kStateFile).string());
  if (state.step != manifest_.step) {
    reject(cat(kStateFile, " is of step ", state.step, ", the manifest of step ", manifest_.step));
  }
  return state;
}

}  // namespace effuse
