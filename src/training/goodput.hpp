#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "training/step_timeline.hpp"

namespace effuse {

/// What time was lost by, where it made no progress that was kept.
enum class Lost {
  startup,        ///< of a process, until its first step; and going back, until the next one
  data_wait,      ///< waiting for data
  communication,  ///< not hidden under a backward pass, and waiting for slower ranks
  checkpoint,     ///< training stood still for one
  preview,
  evaluation,
  bad_steps,  ///< that were skipped
  redone,     ///< progress of steps after the checkpoint that the run went back to
  other,      ///< logs, metrics, comparing ranks
  down,       ///< between a sign of life of one attempt and the begin of the next
};
constexpr std::array kLostNames{"startup",    "data_wait", "communication", "checkpoint", "preview",
                                "evaluation", "bad_steps", "redone",        "other",      "down"};
constexpr std::size_t kLostReasons = kLostNames.size();
static_assert(kLostReasons == static_cast<std::size_t>(Lost::down) + 1);

/// The account of a run's time over all its attempts. Productive is the time of steps whose
/// progress was kept; the rest is lost to one of the reasons (after Google's ML Goodput
/// Measurement, with its badput named by reason). Each second since the run began is in exactly one
/// of these, but for those between the end of a finished run and the attempt that makes it longer.
class Goodput {
 public:
  /// Steps that one attempt made in a row and that are kept: those after `from` up to `to`.
  struct Stretch {
    std::int64_t from = 0;
    std::int64_t to = 0;
    double productive_s = 0.0;
    std::int64_t attempt = 0;  ///< that made them, from 1; 0: an earlier release did not tell

    bool operator==(const Stretch&) const = default;
  };

  /// What is kept from attempt to attempt.
  struct State {
    double began_unix_s = 0.0;  ///< when the process of the first attempt did
    double elapsed_s = 0.0;     ///< from there to the last sign of life
    double apart_s = 0.0;       ///< of this, between the end of the run and its continuation
    std::int64_t attempts = 0;
    bool finished = false;
    std::int64_t redone_steps = 0;
    std::int64_t bad_steps = 0;
    std::array<double, kLostReasons> lost_s{};
    std::vector<Stretch> kept;

    bool operator==(const State&) const = default;
  };

  Goodput() = default;
  explicit Goodput(State state) : state_(std::move(state)) {}

  /// An attempt, whose process began at `process_began_unix_s`, goes on after `steps_done` steps at
  /// `now_unix_s`. Where clocks disagree, time does not run backwards.
  void begin_attempt(double process_began_unix_s, double now_unix_s, std::int64_t steps_done);

  /// Steps were made, up to number `step`: their wall clock time passed. They are those of `steps`
  /// that `known`, the sums when this was last called, has not. What a step waited for can only be
  /// told from sums over many, since its report comes when the next one is under way.
  void add_steps(const StepTimeline& steps, std::int64_t step, const StepTimeline& known = {});

  /// Time passed that made no progress.
  void add_lost(Lost reason, double seconds);

  /// The progress after `step` is lost.
  void go_back(std::int64_t step);

  void finish() { state_.finished = true; }

  double total_s() const { return state_.elapsed_s - state_.apart_s; }
  double productive_s() const;
  double lost_s(Lost reason) const { return state_.lost_s[static_cast<std::size_t>(reason)]; }

  /// Productive share of the total, from 0 to 1.
  double ratio() const;

  const State& state() const { return state_; }

 private:
  State state_;
};

/// For a person: "93.1 % of 2 h 11 min; lost: start-up 2.0 %, communication 1.2 %", what is lost
/// most first, and nothing below 0.05 %.
std::string describe(const Goodput& goodput);

}  // namespace effuse
