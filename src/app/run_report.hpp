#pragma once

#include <filesystem>
#include <utility>

#include "training/stopwatch.hpp"

namespace effuse {

/// report.html of a run, kept up to date while it goes on. A report that cannot be written is
/// warned of, once while the run goes on and once at its end, and is no reason to end a training.
class RunReport {
 public:
  explicit RunReport(std::filesystem::path run) : run_(std::move(run)) {}

  /// For the end of an attempt: writes it, and says where it is once it is there.
  void write();

  /// For in between: at most a hundredth of the time goes into it, however often this is called.
  void write_if_due();

 private:
  bool try_to_write();

  std::filesystem::path run_;
  Stopwatch since_written_;
  double writing_s_ = 0.0;
  bool warned_ = false;
};

}  // namespace effuse
