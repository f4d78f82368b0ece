#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "data/batch.hpp"
#include "data/share.hpp"
#include "diffusion/draws.hpp"
#include "diffusion/forward_process.hpp"
#include "diffusion/objective.hpp"
#include "training/drill.hpp"
#include "training/flat_state.hpp"
#include "training/gradient_buckets.hpp"
#include "training/step_control.hpp"
#include "training/step_report.hpp"
#include "training/step_timer.hpp"

namespace effuse {

class DrawLog;
class Network;

/// How long a run is and how much there is to see, as learning rate and epoch need it.
struct TrainExtent {
  std::int64_t total_steps = 0;
  std::int64_t dataset_size = 0;
};

/// One step of diffusion training (Ho et al. 2020, algorithm 1) over all ranks: the loss is the
/// mean over the global batch of the objective at x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε, its gradient is
/// summed over the ranks while the backward pass runs, judged, clipped by global norm and applied
/// by the optimiser, then the weights are averaged into the EMA weights.
///
/// On a GPU launch() only puts a step in line: the host learns what became of it by finish(), which
/// may be called after the next one was launched, so that the GPU never waits for the host.
class TrainStep {
 public:
  /// Everything referred to must outlive this.
  TrainStep(Network& network, FlatState& state, const Schedule& schedule, Communicator& comm,
            const Config& config, const TrainExtent& extent, at::Device device);

  /// Collective. Makes the step of `batch`, this rank's share of batch number batch.step, with its
  /// images on the device. A step whose loss or gradients are not finite, or a
  /// spike, changes nothing, at any rank.
  void launch(const Batch& batch, bool stop_wanted);

  /// What the earliest step did that was launched and not asked for yet. Waits for the device to
  /// come past it.
  StepReport finish();

  /// Steps launched and not finished.
  std::size_t in_flight() const { return launched_.size(); }

  StepControl& control() { return control_; }

  /// What steps draw from here on is written to `log`, which must outlive this.
  void write_draws_to(DrawLog* log) { draw_log_ = log; }

 private:
  /// A step under way.
  struct Launched {
    StepReport report;
    StepTimer timer;
    std::int64_t passes = 0;
    at::Tensor results;                        ///< on the host once the timer's last mark is passed
    std::vector<std::unique_ptr<Work>> works;  ///< the reductions
  };

  StepReport begin_report(std::int64_t step) const;
  void compute_gradients(const Batch& batch, bool stop_wanted, Launched& launched);
  at::Tensor loss_sum(const Batch& batch, const Share& part);
  void backward(const at::Tensor& loss_sum);
  void send_riders(std::int64_t step, bool stop_wanted);
  void update(Launched& launched);

  Network& network_;
  FlatState& state_;
  ForwardProcess forward_process_;
  Objective objective_;
  TrainingDrawSettings draws_;
  Communicator& comm_;
  const Config& config_;
  TrainExtent extent_;
  at::Device device_;
  GradientBuckets buckets_;
  StepControl control_;
  Drill drill_;
  at::Tensor riders_;  ///< float64: summed over the ranks beside the gradients
  std::unique_ptr<Work> riders_work_;
  std::deque<Launched> launched_;
  DrawLog* draw_log_ = nullptr;
};

}  // namespace effuse
