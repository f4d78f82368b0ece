#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "report/log_line.hpp"

namespace effuse {

/// Lines of a log in a row as one point of its curves.
struct LogStretch {
  /// Of the lines that have the number.
  struct Values {
    std::int64_t count = 0;
    double sum = 0;
    double least = 0;
    double greatest = 0;

    void add(double value);
    void add(const Values& later);
    /// NaN where no line has it; the number itself where one does.
    double mean() const;
  };

  std::int64_t first_step = 0;
  std::int64_t last_step = 0;
  std::int64_t lines = 0;
  std::int64_t images = 0;             ///< seen by the end
  double time_s = LogLine::kAbsent;    ///< Unix time of the end
  std::array<Values, kSeries> series;  ///< as LogLine::values

  void add(const LogLine& line);
  void add(const LogStretch& later);
};

/// A log of any length in bounded memory: stretches of as many lines each, which are joined in
/// pairs when there are too many. No extreme is lost; a short log is kept line by line.
class ThinnedLog {
 public:
  /// At most `capacity` (even) stretches, at least half of it in a log that has as many lines.
  explicit ThinnedLog(std::size_t capacity = 1000) : capacity_(capacity) {}

  /// The next line; its step is higher than those before.
  void add(const LogLine& line);

  const std::vector<LogStretch>& stretches() const { return stretches_; }
  std::int64_t lines_each() const { return lines_each_; }

 private:
  void join_pairs();

  std::size_t capacity_;
  std::int64_t lines_each_ = 1;
  std::vector<LogStretch> stretches_;
};

}  // namespace effuse
