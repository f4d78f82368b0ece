#pragma once

#include <cstdint>

#include "metrics/event_file.hpp"
#include "metrics/jsonl.hpp"
#include "training/interval.hpp"

namespace effuse {

/// metrics/train.jsonl: a line an interval. The fields step, images, epoch, loss, grad_norm and lr
/// are deterministic; the times are not.
class JsonlLog : public IntervalListener {
 public:
  /// `writer` must outlive this.
  explicit JsonlLog(metrics::JsonlWriter& writer) : writer_(writer) {}

  void after_interval(const StepReport& last, const Interval& interval) override;

 private:
  metrics::JsonlWriter& writer_;
};

/// What TensorBoard draws: numbers, and the spread of gradient norms.
class TensorBoardLog : public IntervalListener {
 public:
  /// `events` must outlive this. Time steps are drawn from 0 to `timesteps` − 1.
  TensorBoardLog(metrics::EventFile& events, std::int64_t timesteps);

  void after_interval(const StepReport& last, const Interval& interval) override;

 private:
  metrics::EventFile& events_;
  std::int64_t timesteps_;
};

}  // namespace effuse
