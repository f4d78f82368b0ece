#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace effuse {

/// Where progress is shown: a line that is redrawn on a terminal, plain lines now and then in a
/// log, or nothing (ranks other than 0).
enum class ProgressStyle { redraw, lines, silent };

/// redraw where stderr is a terminal, lines elsewhere; silent for any rank but 0.
ProgressStyle progress_style(int rank);

/// Progress of a task of known size with rate and time left, on stderr:
///   train   1,200/20,000 steps   6% | loss 0.0312 | 92.1 images/s | 3 h 20 min left
class Progress {
 public:
  struct Options {
    std::string task;            ///< "train"
    std::string unit = "items";  ///< what is counted
    std::uint64_t total = 0;
    std::uint64_t start = 0;  ///< done before this process began (a continued run)
    ProgressStyle style = ProgressStyle::lines;
    double line_interval_s = 30.0;  ///< style lines: at most one line in this time
  };

  explicit Progress(Options options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of total so far; `detail` (may be empty) is shown between count and time left.
  void update(std::uint64_t done, std::string_view detail = {});

  /// Shows the last state, unless a line has just said it, and leaves the line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  std::string render() const;
  void show();

  Options options_;
  Clock::time_point began_;
  Clock::time_point shown_;
  std::uint64_t done_ = 0;
  std::optional<std::uint64_t> shown_done_;
  std::string detail_;
  bool line_open_ = false;
  bool finished_ = false;
};

}  // namespace effuse
