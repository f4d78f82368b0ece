#include "training/step.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/share.hpp"
#include "diffusion/draws.hpp"
#include "diffusion/quantise.hpp"
#include "models/network.hpp"
#include "models/precision.hpp"
#include "training/average.hpp"
#include "training/clipping.hpp"
#include "training/lr_schedule.hpp"
#include "training/optimiser.hpp"
#include "training/stopwatch.hpp"

namespace effuse {

TrainStep::TrainStep(Network& network, FlatState& state, const Schedule& schedule,
                     Communicator& comm, const Config& config, const TrainExtent& extent,
                     at::Device device)
    : network_(network),
      state_(state),
      forward_process_(schedule, device),
      objective_(config.diffusion, schedule, device),
      comm_(comm),
      config_(config),
      extent_(extent),
      device_(device) {
  const bool conditional = network.is_conditional();
  draws_ = {.seed = static_cast<std::uint64_t>(config.run.seed),
            .timesteps = schedule.size(),
            .label_drop = conditional ? config.diffusion.label_drop : 0.0,
            .null_class = network.null_class(),
            .device = device};
}

void TrainStep::backward(const Batch& batch, const Share& part) {
  const std::span positions(&batch.positions[static_cast<std::size_t>(part.first)],
                            static_cast<std::size_t>(part.count));
  const at::Tensor pixels = batch.images.narrow(0, part.first, part.count).to(device_);
  const at::Tensor labels =
      network_.is_conditional() ? batch.labels.narrow(0, part.first, part.count) : at::Tensor();
  const at::Tensor x0 = from_uint8(pixels).to(state_.type());
  const TrainingDraws draws = draw_for_training(draws_, positions, x0.sizes().slice(1), labels);
  const at::Tensor noise = draws.noise.to(state_.type());
  const at::Tensor noisy = forward_process_.add_noise(x0, noise, draws.t);
  network_.set_dropout_positions(draws_.seed, positions);
  const at::Tensor prediction = network_.forward(noisy, draws.t, draws.labels);
  const at::Tensor loss_sum = objective_.loss(prediction, x0, noise, draws.t).sum();
  (loss_sum / static_cast<double>(config_.run.batch_size)).backward();
  const at::NoGradGuard no_grad;
  at::Tensor(state_.riders())[FlatState::kLossSum].add_(loss_sum);
}

StepReport TrainStep::run(const Batch& batch, bool stop_wanted) {
  StepReport report;
  report.step = batch.step + 1;
  report.images = report.step * config_.run.batch_size;
  report.epoch = (report.images - 1) / extent_.dataset_size;
  report.lr = learning_rate(config_.optimizer, batch.step, extent_.total_steps);
  Stopwatch watch;

  network_.train();
  state_.clear_gradients();
  {
    const ComputePrecision precision(config_.precision.compute, device_);
    const std::int64_t micro_steps =
        micro_steps_of(config_.run.batch_size, comm_.world_size(), config_.parallel.micro_batch);
    for (std::int64_t i = 0; i < micro_steps; ++i) {
      const Share part = share_of(batch.size(), i, micro_steps);
      if (part.count > 0) backward(batch, part);
    }
  }
  if (stop_wanted) at::Tensor(state_.riders())[FlatState::kStopFlag].fill_(1.0);
  report.compute_s = watch.lap_s();

  comm_.all_reduce(state_.reduced());
  report.all_reduce_s = watch.lap_s();

  const at::Tensor riders = state_.riders().cpu();
  report.loss =
      riders[FlatState::kLossSum].item<double>() / static_cast<double>(config_.run.batch_size);
  report.stop_agreed = riders[FlatState::kStopFlag].item<float>() > 0.0F;
  report.grad_norm = gradient_norm(state_);
  check_finite(report);
  update(report);
  report.update_s = watch.lap_s();
  return report;
}

void TrainStep::check_finite(const StepReport& report) const {
  if (std::isfinite(report.loss) && std::isfinite(report.grad_norm)) return;
  throw AgreedError(ExitCode::failure,
                    cat("step ", report.step, " gave a loss of ", report.loss,
                        " and a gradient norm of ", report.grad_norm,
                        " (training on would destroy the weights). The last checkpoint is intact: "
                        "lower optimizer.lr, set optimizer.grad_clip, or use precision.compute="
                        "fp32."));
}

void TrainStep::update(StepReport& report) {
  clip_gradients(state_, report.grad_norm, config_.optimizer.grad_clip);
  optimiser_step(state_, config_.optimizer, report.lr, report.step);
  report.ema_decay = ema_decay(config_.ema, report.step);
  update_average(state_, report.ema_decay);
}

}  // namespace effuse
