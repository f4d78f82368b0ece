#pragma once

#include <cstdint>

namespace effuse {

/// How long a step takes, with all that passes between steps. What comes before the first step does
/// not count, nor, once there are two, the first one, which sets things up.
class Pace {
 public:
  /// A step begins: the clock starts with the first.
  void begin_step();

  /// A step was done at `ended_s` on steady_time_s().
  void end_step(double ended_s);

  std::int64_t steps() const { return steps_; }

  /// Seconds a step. Needs one.
  double step_s() const;

 private:
  std::int64_t steps_ = 0;
  double began_s_ = 0.0;  ///< the first step
  double first_s_ = 0.0;  ///< when it was done
  double last_s_ = 0.0;
  bool begun_ = false;
};

}  // namespace effuse
