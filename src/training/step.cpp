#include "training/step.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "core/text.hpp"
#include "data/augment.hpp"
#include "diffusion/quantise.hpp"
#include "models/network.hpp"
#include "models/precision.hpp"
#include "training/average.hpp"
#include "training/draw_log.hpp"
#include "training/lr_schedule.hpp"
#include "training/optimiser.hpp"
#include "training/stopwatch.hpp"

namespace effuse {
namespace {

/// Numbers that are summed over the ranks beside the gradients.
enum Rider { kLossSum, kStopFlag, kByTimestep };
constexpr auto kRanges = static_cast<std::int64_t>(TimestepLosses::kRanges);
constexpr std::int64_t kRiders = kByTimestep + 2 * kRanges;

/// What the host reads of a step.
enum Result { kLoss, kStop, kNorm, kGood, kScale, kLossesByTimestep };

GradientBuckets::Options bucket_options(const ParallelConfig& parallel) {
  constexpr double kMiB = 1 << 20;
  return {.bucket_bytes = static_cast<std::int64_t>(parallel.bucket_mib * kMiB),
          .wire = parallel.gradient_type == "bf16" ? at::kBFloat16 : at::kFloat};
}

/// What a drill makes of the loss, and by it of the gradients.
double drill_factor(const Drill& drill, std::int64_t step) {
  if (drill.due("nan", step)) return std::numeric_limits<double>::quiet_NaN();
  return drill.due("spike", step) ? 1e4 : 1.0;
}

}  // namespace

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
      device_(device),
      buckets_(state, comm, bucket_options(config.parallel)),
      control_(config, device),
      drill_(config.drill, comm.rank()),
      riders_(at::zeros({kRiders}, at::TensorOptions(device).dtype(at::kDouble))) {
  const bool conditional = network.is_conditional();
  draws_ = {.seed = static_cast<std::uint64_t>(config.run.seed),
            .timesteps = schedule.size(),
            .label_drop = conditional ? config.diffusion.label_drop : 0.0,
            .null_class = network.null_class(),
            .device = device};
}

StepReport TrainStep::begin_report(std::int64_t step) const {
  StepReport report;
  report.step = step + 1;
  report.images = report.step * config_.run.batch_size;
  report.epoch = (report.images - 1) / extent_.dataset_size;
  report.lr = learning_rate(config_.optimizer, step, extent_.total_steps) * control_.lr_factor();
  report.ema_decay = ema_decay(config_.ema, report.step);
  return report;
}

void TrainStep::launch(const Batch& batch, bool stop_wanted) {
  Launched launched{begin_report(batch.step), StepTimer(device_), 0, {}, {}};
  network_.train();
  launched.timer.mark();
  compute_gradients(batch, stop_wanted, launched);
  launched.works = buckets_.wait();
  riders_work_->wait();
  launched.works.push_back(std::move(riders_work_));
  launched.timer.mark();
  update(launched);
  launched.timer.mark();
  if (device_.is_cpu()) launched.report.ended_s = steady_time_s();
  launched_.push_back(std::move(launched));
}

void TrainStep::compute_gradients(const Batch& batch, bool stop_wanted, Launched& launched) {
  const ComputePrecision precision(autocast_compute(config_.precision), device_);
  const std::int64_t micro_steps =
      micro_steps_of(config_.run.batch_size, comm_.world_size(), config_.parallel.micro_batch,
                     config_.parallel.accumulation_steps);
  launched.passes = micro_steps;
  riders_.zero_();
  buckets_.begin_step(launched.report.step);
  for (std::int64_t i = 0; i < micro_steps; ++i) {
    const Share part = share_of(batch.size(), i, micro_steps);
    const bool last = i + 1 == micro_steps;
    at::Tensor loss;
    if (part.count > 0) loss = loss_sum(batch, part);
    launched.timer.mark();
    if (last) send_riders(launched.report.step, stop_wanted);
    if (loss.defined()) {
      buckets_.begin_pass(last);
      backward(loss);
    }
    launched.timer.mark();
  }
  buckets_.send_rest();
}

/// Sum of the losses of a part of the batch, which is also added to the riders.
at::Tensor TrainStep::loss_sum(const Batch& batch, const Share& part) {
  const std::span positions(&batch.positions[static_cast<std::size_t>(part.first)],
                            static_cast<std::size_t>(part.count));
  const auto of_part = [&](const at::Tensor& all) {
    return all.defined() ? all.narrow(0, part.first, part.count) : at::Tensor();
  };
  const at::Tensor pixels = mirror_images(of_part(batch.images), of_part(batch.mirrored));
  const at::Tensor labels = network_.is_conditional() ? of_part(batch.labels) : at::Tensor();
  const at::Tensor x0 = from_uint8(pixels).to(state_.type());
  const TrainingDraws draws = draw_for_training(draws_, positions, x0.sizes().slice(1), labels);
  if (draw_log_ != nullptr) draw_log_->write(batch, part, draws);
  const at::Tensor noise = draws.noise.to(state_.type());
  const at::Tensor noisy = forward_process_.add_noise(x0, noise, draws.t);
  network_.set_dropout_positions(draws_.seed, positions);
  const at::Tensor input = noisy.to(state_.network_type(), /*non_blocking=*/false, /*copy=*/false,
                                    memory_format(config_.precision, device_));
  const at::Tensor prediction = network_.forward(input, draws.t, draws.labels);
  const at::Tensor losses = objective_.loss(prediction, x0, noise, draws.t);
  at::Tensor sum = losses.sum();
  const double factor = drill_factor(drill_, batch.step + 1);
  if (factor != 1.0) sum = sum * factor;
  const at::NoGradGuard no_grad;
  riders_[kLossSum].add_(sum.detach());
  riders_.narrow(0, kByTimestep, 2 * kRanges)
      .add_(sum_by_timestep(losses.detach(), draws.t, draws_.timesteps));
  return sum;
}

void TrainStep::backward(const at::Tensor& loss_sum) {
  at::Tensor mean = loss_sum / static_cast<double>(config_.run.batch_size);
  const at::Tensor scale = control_.loss_scale();
  if (scale.defined()) mean = mean * scale.to(mean.scalar_type());
  mean.backward();
}

/// Before the last backward pass, which hides them.
void TrainStep::send_riders(std::int64_t step, bool stop_wanted) {
  if (stop_wanted) riders_[kStopFlag].fill_(1.0);
  riders_work_ =
      comm_.all_reduce_async(riders_, ReduceOp::sum, cat("loss and stop flag of step ", step));
}

void TrainStep::update(Launched& launched) {
  RECORD_USER_SCOPE("effuse::update");
  const at::NoGradGuard no_grad;
  const at::Tensor loss = riders_[kLossSum] / static_cast<double>(config_.run.batch_size);
  const Verdict verdict = control_.judge(state_.gradients(), loss);
  update_weights(state_, config_.optimizer, {launched.report.lr, launched.report.ema_decay},
                 verdict);
  const at::Tensor results = at::cat(
      {at::stack({loss, riders_[kStopFlag], verdict.grad_norm, verdict.good, verdict.loss_scale}),
       riders_.narrow(0, kByTimestep, 2 * kRanges)});
  launched.results = at::empty(results.sizes(),
                               results.options().device(at::kCPU).pinned_memory(device_.is_cuda()));
  launched.results.copy_(results, /*non_blocking=*/true);
}

StepReport TrainStep::finish() {
  Launched launched = std::move(launched_.front());
  launched_.pop_front();
  StepReport report = launched.report;
  const std::vector<double> laps_s = launched.timer.laps_s();
  if (!device_.is_cpu()) report.ended_s = steady_time_s();
  comm_.check();
  const auto passes = static_cast<std::size_t>(launched.passes);
  for (std::size_t i = 0; i < passes; ++i) {
    report.forward_s += laps_s[2 * i];
    report.backward_s += laps_s[2 * i + 1];
  }
  report.exposed_s = laps_s[2 * passes];
  report.update_s = laps_s[2 * passes + 1];
  for (const auto& work : launched.works) report.communication_s += work->busy_s();

  const auto* results = launched.results.const_data_ptr<double>();
  report.loss = results[kLoss];
  report.stop_agreed = results[kStop] > 0.0;
  report.grad_norm = results[kNorm];
  report.good = results[kGood] > 0.0;
  report.loss_scale = results[kScale];
  report.timestep_losses.add(results + kLossesByTimestep, results + kLossesByTimestep + kRanges);
  return report;
}

}  // namespace effuse
