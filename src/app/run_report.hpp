#pragma once

#include <filesystem>
#include <utility>

#include "training/stopwatch.hpp"

namespace effuse {

/// report.html of a run, kept up to date while it goes on. A report that cannot be written is
/// warned of, once, and is no reason to end a training.
class RunReport {
 public:
  explicit RunReport(std::filesystem::path run) : run_(std::move(run)) {}

  void write();

  /// write(), but at most a hundredth of the time goes into it, however often this is called.
  void write_if_due();

 private:
  std::filesystem::path run_;
  Stopwatch since_written_;
  double writing_s_ = 0.0;
  bool failed_ = false;
};

}  // namespace effuse
