#include "metrics/jsonl.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse::metrics {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(), cat(what, " ", path.string()));
}

/// What remains of a file, and how many of its lines were no objects with a step.
struct Kept {
  std::string text;
  int damaged_lines = 0;
};

Kept lines_up_to(std::string_view text, std::int64_t step) {
  Kept kept;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const bool torn = end == std::string_view::npos;
    const std::string_view line = text.substr(0, torn ? text.size() : end + 1);
    text.remove_prefix(line.size());
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto field = json.is_object() ? json.find("step") : json.end();
    if (torn || !json.is_object() || field == json.end() || !field->is_number_integer()) {
      ++kept.damaged_lines;
    } else if (field->get<std::int64_t>() <= step) {
      kept.text += line;
    }
  }
  return kept;
}

void cut_back(const std::filesystem::path& path, std::int64_t step) {
  const std::string text = read_file(path);
  const Kept kept = lines_up_to(text, step);
  if (kept.damaged_lines > 0) {
    log::warning(path.string(), ": dropped ", kept.damaged_lines,
                 " line(s) that were cut short or damaged");
  }
  if (kept.text.size() != text.size()) write_file_atomically(path, kept.text);
}

bool has_step(const JsonFields& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.first == "step" && std::holds_alternative<std::int64_t>(field.second);
  });
}

std::string line_of(const JsonFields& fields) {
  Json json = Json::object();
  for (const auto& [name, value] : fields) {
    std::visit([&json, &key = name](const auto& content) { json[key] = content; }, value);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Removes the last `size` bytes: the beginning of a line whose end found no room. Where that fails
/// too, cut_back() drops the line later.
void take_back(int descriptor, std::size_t size) {
  const off_t end = ::lseek(descriptor, 0, SEEK_END);
  if (size == 0 || end < 0) return;
  [[maybe_unused]] const int result = ::ftruncate(descriptor, end - static_cast<off_t>(size));
}

/// Returns 0, or the reason why the line could not be written: then nothing of it is in the file.
int append(int descriptor, const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      take_back(descriptor, line.size() - rest.size());
      return reason;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

JsonlWriter::JsonlWriter(std::filesystem::path path, std::int64_t step) : path_(std::move(path)) {
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path());
  if (std::filesystem::exists(path_)) cut_back(path_, step);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail("cannot open", path_);
  sync_to_disk(path_.has_parent_path() ? path_.parent_path() : ".");  // its name, for sync()
}

JsonlWriter::~JsonlWriter() {
  append_kept();
  ::close(descriptor_);
}

/// Returns 0, or the reason why some are still kept.
int JsonlWriter::append_kept() {
  while (!kept_.empty()) {
    const int reason = append(descriptor_, kept_.front());
    if (reason != 0) return reason;
    kept_.pop_front();
  }
  return 0;
}

void JsonlWriter::write(const JsonFields& fields) {
  if (!has_step(fields)) {
    throw Error(cat(path_.string(), ": a line needs an integer field \"step\""));
  }
  const std::lock_guard lock(mutex_);
  kept_.push_back(line_of(fields));
  append_kept();
}

void JsonlWriter::sync() {
  {
    const std::lock_guard lock(mutex_);
    errno = append_kept();
    if (errno != 0) fail("cannot write", path_);
  }
  // Not under the lock: the next line need not wait for the disk.
  if (::fsync(descriptor_) != 0) fail("cannot flush", path_);
}

}  // namespace effuse::metrics
