#pragma once

#include <cmath>
#include <cstdint>

#include "training/timestep_losses.hpp"

namespace effuse {

/// What one optimiser step did. All but the seconds are the same at every rank, and deterministic.
struct StepReport {
  std::int64_t step = 0;    ///< steps done, this one included
  std::int64_t images = 0;  ///< images seen, this step's included
  std::int64_t epoch = 0;   ///< of the last image of this step, from 0
  double loss = 0.0;        ///< mean over the global batch
  double grad_norm = 0.0;   ///< before clipping
  double lr = 0.0;
  double ema_decay = 0.0;
  double loss_scale = 1.0;  ///< of fp16
  bool good = true;         ///< false: not finite, or a spike; the step changed nothing
  TimestepLosses timestep_losses{};
  bool stop_agreed = false;  ///< some rank was asked to stop

  // Of this rank:
  double data_wait_s = 0.0;  ///< for the batch
  double upload_s = 0.0;     ///< of the batch to a GPU, beside the step before
  double forward_s = 0.0;
  double backward_s = 0.0;
  double exposed_s = 0.0;  ///< communication, and waiting for slower ranks, after the backward pass
  double update_s = 0.0;   ///< norm, optimiser and average
  double communication_s = 0.0;  ///< all reductions, hidden or not
  double ended_s = 0.0;          ///< when the step was done, on steady_time_s()
  double wall_s = 0.0;           ///< since the last report, without what hooks did after it

  /// Whether a step was bad only because the gradients of a scaled loss overflowed, which a smaller
  /// loss scale mends: so fp16 finds its scale, and it is no sign of trouble.
  bool overflowed() const {
    return !good && loss_scale > 1.0 && std::isfinite(loss) && !std::isfinite(grad_norm);
  }
};

}  // namespace effuse
