#include "metrics/jsonl.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
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

enum class Line { stays, comes_later, damaged };

/// `torn`: without its end.
Line judge(std::string_view line, bool torn, std::int64_t step) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto field = json.is_object() ? json.find("step") : json.end();
  if (torn || !json.is_object() || field == json.end() || !field->is_number_integer()) {
    return Line::damaged;
  }
  return field->get<std::int64_t>() <= step ? Line::stays : Line::comes_later;
}

/// Calls `use` with each line and what it is, in one pass: a log may be larger than memory.
template <class Use>
void judge_lines(const std::filesystem::path& path, std::int64_t step, const Use& use) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("cannot open", path);
  for (std::string line; std::getline(in, line);) use(line, judge(line, in.eof(), step));
  if (in.bad()) fail("cannot read", path);
}

void keep_lines_that_stay(const std::filesystem::path& path, std::int64_t step) {
  constexpr std::size_t kWritten = 1 << 20;
  AtomicFile kept(path);
  std::string lines;
  judge_lines(path, step, [&](const std::string& line, Line is) {
    if (is != Line::stays) return;
    lines += line + '\n';
    if (lines.size() < kWritten) return;
    kept.write(lines);
    lines.clear();
  });
  kept.write(lines);
  kept.commit();
}

void cut_back(const std::filesystem::path& path, std::int64_t step) {
  int damaged = 0;
  int later = 0;
  judge_lines(path, step, [&](const std::string&, Line is) {
    if (is == Line::damaged) ++damaged;
    if (is == Line::comes_later) ++later;
  });
  if (damaged > 0) {
    log::warning(path.string(), ": dropped ", damaged, " line(s) that were cut short or damaged");
  }
  if (damaged + later > 0) keep_lines_that_stay(path, step);
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
