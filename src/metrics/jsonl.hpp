#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace effuse::metrics {

/// One field of a line. A double is written in the shortest form that reads back as the same
/// number, so equal values give equal text; JSON has no NaN and no infinity, which become null.
using JsonValue = std::variant<std::int64_t, double, bool, std::string>;
using JsonFields = std::vector<std::pair<std::string, JsonValue>>;

/// A file of one JSON object a line (metrics/train.jsonl), each with an integer field "step", in
/// the order of the fields given. Not for use from several threads.
class JsonlWriter {
 public:
  /// Opens `path` for appending, with its folders. Of a file that is there already the lines up to
  /// and including `step` stay; what a lost continuation wrote later, a line torn by a kill, and
  /// lines that are no such object are cut away (atomically, logged where damage was the reason).
  /// Throws std::system_error.
  JsonlWriter(std::filesystem::path path, std::int64_t step);
  ~JsonlWriter();
  JsonlWriter(const JsonlWriter&) = delete;
  JsonlWriter& operator=(const JsonlWriter&) = delete;

  /// Appends one line in one system call, so that readers following the file see whole lines.
  /// Throws std::system_error (a full disk), after taking back what was written of the line, and
  /// Error where there is no integer field "step".
  void write(const JsonFields& fields);

  /// Flushes to the disk: before a checkpoint is committed, so that the log is never behind it.
  void sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace effuse::metrics
