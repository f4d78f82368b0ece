#pragma once

#include <cstdint>

#include "comm/agreement.hpp"
#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "data/batch.hpp"
#include "data/share.hpp"
#include "diffusion/draws.hpp"
#include "diffusion/forward_process.hpp"
#include "diffusion/objective.hpp"
#include "training/flat_state.hpp"

namespace effuse {

class Network;

/// What one optimiser step did. All but the seconds are the same at every rank, and deterministic.
struct StepReport {
  std::int64_t step = 0;    ///< steps done, this one included
  std::int64_t images = 0;  ///< images seen, this step's included
  std::int64_t epoch = 0;   ///< of the last image of this step, from 0
  double loss = 0.0;        ///< mean over the global batch
  double grad_norm = 0.0;   ///< before clipping
  double lr = 0.0;
  double ema_decay = 0.0;
  bool stop_agreed = false;  ///< some rank was asked to stop

  double data_wait_s = 0.0;   ///< of this rank
  double compute_s = 0.0;     ///< forward and backward passes of this rank
  double all_reduce_s = 0.0;  ///< of this rank: communication and waiting for slower ranks
  double update_s = 0.0;      ///< optimiser and average
};

/// How long a run is and how much there is to see, as learning rate and epoch need it.
struct TrainExtent {
  std::int64_t total_steps = 0;
  std::int64_t dataset_size = 0;
};

/// One step of diffusion training (Ho et al. 2020, algorithm 1) over all ranks: the loss is the
/// mean over the global batch of the objective at x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε, its gradient is
/// summed over the ranks, clipped by global norm and applied by the optimiser, then the weights are
/// averaged into the EMA weights.
class TrainStep {
 public:
  /// Everything referred to must outlive this.
  TrainStep(Network& network, FlatState& state, const Schedule& schedule, Communicator& comm,
            const Config& config, const TrainExtent& extent, at::Device device);

  /// Collective. `batch` is this rank's share of batch number batch.step. Throws AgreedError, at
  /// every rank, where loss or gradients are not finite; nothing has been updated then.
  StepReport run(const Batch& batch, bool stop_wanted);

 private:
  void backward(const Batch& batch, const Share& part);
  void check_finite(const StepReport& report) const;
  void update(StepReport& report);

  Network& network_;
  FlatState& state_;
  ForwardProcess forward_process_;
  Objective objective_;
  TrainingDrawSettings draws_;
  Communicator& comm_;
  const Config& config_;
  TrainExtent extent_;
  at::Device device_;
};

}  // namespace effuse
