#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "training/step_report.hpp"

namespace effuse {

/// Where the time of some steps went at one rank: sums over their reports.
struct StepTimeline {
  std::int64_t steps = 0;
  std::int64_t bad_steps = 0;
  double wall_s = 0.0;
  double data_wait_s = 0.0;  ///< of the host; on a GPU the step under way may hide it
  double forward_s = 0.0;
  double backward_s = 0.0;
  double exposed_s = 0.0;
  double update_s = 0.0;
  double communication_s = 0.0;

  void add(const StepReport& report);

  /// Waiting for data while nothing was computed: as much of data_wait_s as the wall clock has left
  /// over.
  double stalled_s() const;

  /// The wall clock's time outside all parts: the host between steps.
  double other_s() const;

  /// Share of the communication, from 0 to 1, that passed under the backward passes; nothing where
  /// there was none (one rank).
  std::optional<double> hidden_ratio() const;

 private:
  double idle_s() const;
};

/// "0.25 ms", "8.1 ms", "812 ms".
std::string milliseconds(double seconds);

/// For a person: "812 ms: data 1 %, forward 31 %, backward 58 %, exposed communication 3 % (87 %
/// hidden), update 7 %", of a step of the average. Needs at least one step.
std::string describe(const StepTimeline& timeline);

}  // namespace effuse
