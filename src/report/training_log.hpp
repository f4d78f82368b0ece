#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "report/thinned_log.hpp"

namespace effuse {

/// By what a run went on after a step that it had reached before.
enum class Continuation {
  attempt,  ///< the job was started again
  restore,  ///< the same job went back to a checkpoint, after too many bad steps in a row
  unknown   ///< one of the two: the run folder does not say
};

struct Restart {
  std::int64_t after_step = 0;
  Continuation by = Continuation::unknown;
  double before_s = LogLine::kAbsent;  ///< Unix time of the last line up to there
  double after_s = LogLine::kAbsent;   ///< and of the first one after
};

/// What metrics/train.jsonl tells.
struct TrainingLog {
  /// Steps whose lines say that they were skipped are named up to this number.
  static constexpr std::size_t kNamedBadSteps = 200;

  ThinnedLog curves;
  LogLine last;  ///< the last line
  std::int64_t lines = 0;
  std::int64_t damaged_lines = 0;  ///< left out; a last line that is still being written is not one
  std::int64_t late_lines = 0;     ///< left out: whole, but of a step that is not above the last
  std::int64_t bad_lines = 0;      ///< of steps that were skipped
  std::vector<std::int64_t> bad_steps;
  std::vector<Restart> restarts;
};

/// Reads it line by line. `restarts`: where the run went on, by step. No file is an
/// empty log. Throws DataError where there is a file but no line that can be read, and
/// std::system_error where it cannot be opened.
TrainingLog read_training_log(const std::filesystem::path& file, std::vector<Restart> restarts);

}  // namespace effuse
