#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace effuse::metrics {

/// A PNG and its size, which is in its header.
struct Picture {
  std::string png;
  int height = 0;
  int width = 0;
};

/// What is to be seen in TensorBoard: a file of tf.Event messages in TFRecord framing (each with
/// its length and CRC-32C), one file for each attempt at a run. TensorBoard reads all files of a
/// folder; a later one that begins at an earlier step takes the place of what came after that.
///
/// What cannot be written is warned of once; nothing is thrown after construction.
class EventFile {
 public:
  /// Makes `folder` and in it "events.out.tfevents.<Unix time>.<host>.<process>", for an attempt
  /// that goes on after `step`. Throws std::system_error.
  EventFile(const std::filesystem::path& folder, std::int64_t step);

  void scalar(std::string_view tag, std::int64_t step, double value);
  void picture(std::string_view tag, std::int64_t step, const Picture& picture);

  /// Values that are not finite are left out; without any, nothing is written.
  void histogram(std::string_view tag, std::int64_t step, const std::vector<double>& values);

  /// To the operating system, so that a TensorBoard that follows the file sees it.
  void flush();

 private:
  void write_value(std::int64_t step, const std::string& value);
  void write_event(const std::string& event);

  std::filesystem::path path_;
  std::ofstream out_;
  bool failed_ = false;
};

}  // namespace effuse::metrics
