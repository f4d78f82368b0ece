#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace effuse::metrics {

/// One field of a line. A double is written in the shortest form that reads back as the same
/// number, so equal values give equal text; JSON has no NaN and no infinity, which become null, in
/// a list, too.
using JsonValue = std::variant<std::int64_t, double, bool, std::string, std::vector<double>>;
using JsonFields = std::vector<std::pair<std::string, JsonValue>>;

/// A file of one JSON object a line (metrics/train.jsonl), each with an integer field "step", in
/// the order of the fields given. Safe for use from several threads.
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

  /// Appends one line in one system call, so that readers following the file see whole lines. What
  /// finds no room (a checkpoint that is being written may fill the disk for a while) is kept, and
  /// written before the next line or by sync(). Throws Error where there is no integer field
  /// "step".
  void write(const JsonFields& fields);

  /// Flushes to the disk: before a checkpoint is committed, so that the log is never behind it.
  /// Throws std::system_error (a full disk) where a line cannot be written or flushed; it is kept.
  void sync();

 private:
  int append_kept();

  std::mutex mutex_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::deque<std::string> kept_;  // lines that are not in the file yet
};

}  // namespace effuse::metrics
