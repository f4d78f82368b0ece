#include "app/train_run.hpp"

#include <utility>

#include "app/bad_step_hook.hpp"
#include "app/checkpointing.hpp"
#include "app/device.hpp"
#include "app/environment.hpp"
#include "app/evaluation_hook.hpp"
#include "app/goodput_file.hpp"
#include "app/goodput_hook.hpp"
#include "app/outcome.hpp"
#include "app/peak_flops.hpp"
#include "app/pretrained_weights.hpp"
#include "app/preview_hook.hpp"
#include "app/resolve.hpp"
#include "app/train_settings.hpp"
#include "comm/agreement.hpp"
#include "config/toml_writer.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/shell_word.hpp"
#include "core/stop.hpp"
#include "models/factory.hpp"
#include "models/operations.hpp"
#include "models/precision.hpp"
#include "models/weights.hpp"
#include "training/drill_hook.hpp"
#include "training/duration.hpp"
#include "training/gradient_order.hpp"
#include "training/optimiser.hpp"
#include "training/pause.hpp"
#include "training/progress_hook.hpp"
#include "training/replica_check.hpp"
#include "training/restore.hpp"
#include "training/straggler_hook.hpp"
#include "training/timed_hook.hpp"

namespace effuse {
namespace {

std::string count(std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); }

/// The step count for outcome.json.
class OutcomeHook : public TrainingHook {
 public:
  explicit OutcomeHook(JobContext& context) : context_(context) {}
  void after_step(const StepReport& report) override { context_.step = report.step; }

 private:
  JobContext& context_;
};

/// Going back by itself would lose what a job that is cut short needs most, and come to the same
/// state again: runs are deterministic.
void warn_of_no_headway(std::int64_t attempts, std::int64_t step) {
  constexpr std::int64_t kPatience = 3;
  if (attempts < kPatience) return;
  log::warning("attempt ", attempts, " in a row that begins after step ", step,
               " (those before reached no checkpoint). Lower checkpoint.every_steps or give jobs "
               "more time; --resume-from STEP goes back to an earlier checkpoint.");
}

}  // namespace

TrainRun::TrainRun(JobContext& context, Communicator& comm, at::Device device, int threads)
    : context_(context),
      comm_(comm),
      config_(context.line.config),
      device_(device),
      threads_(threads),
      dataset_(agree_value(comm, [&] { return open_dataset(config_.data); })),
      damaged_(damaged_images_allowed(config_.data, dataset_.size()),
               [](std::int64_t image, const std::string& damage) {
                 log::warning(damage, " The next whole image is taken in place of number ", image,
                              ".");
               }),
      total_steps_(agree_value(comm, [&] { return total_steps(config_.run, dataset_.size()); })),
      folder_(config_.run),
      start_(agree_value(comm, [&] { return StartOptions::from(context.line); })),
      schedule_(agree_value(comm, [&] { return Schedule(config_.diffusion); })) {
  require_same_dataset(comm, dataset_);
  agree(comm, [&] { config_.model = resolve_model(config_.model, dataset_); });
  network_ = agree_value(comm, [&] { return make_network(config_.model); });
  initialise_weights(*network_, static_cast<std::uint64_t>(config_.run.seed));
  network_->to(device_);
}

void TrainRun::begin() {
  std::optional<CheckpointContents> contents;
  agree(comm_, [&] {
    if (!leads()) return;
    if (!context_.lock) context_.lock = folder_.lock();
    contents = start_run(folder_, start_, config_, dataset_.fingerprint());
    context_.outcome_file = folder_.outcome();
  });
  take_place(contents);
  log::configure(
      {.rank = comm_.rank(), .world_size = comm_.world_size(), .file = folder_.log(comm_.rank())});
  if (steps_done_ == 0 && !config_.model.pretrained.empty()) {
    begin_from_pretrained(*network_, comm_, config_.model.pretrained);
  }
  // Its average begins as the weights are now.
  state_ = std::make_unique<FlatState>(*network_, moments_of(config_.optimizer), layout());
  if (steps_done_ > 0) restore(*state_, comm_, contents);
  context_.outcome_file = folder_.outcome();
}

FlatLayout TrainRun::layout() const {
  return {
      .order = gradient_order(*network_),
      .network_type = weight_type(config_.precision),
      .channels_last = memory_format(config_.precision, device_) == at::MemoryFormat::ChannelsLast};
}

/// Collective. Where a checkpoint, of which rank 0 has the contents, leaves the run.
void TrainRun::take_place(const std::optional<CheckpointContents>& contents) {
  const std::string text = comm_.broadcast_text(contents ? to_json(contents->state) : "");
  const RunState state = text.empty() ? RunState{} : run_state_from_json(text, "the checkpoint");
  steps_done_ = state.step;
  context_.step = state.step;
  control_.reset();
  if (!text.empty()) control_ = state.control;
}

void TrainRun::write_run_files() {
  const std::string environment = describe_environment(comm_, context_.session, device_, threads_);
  agree(comm_, [&] {
    if (!leads()) return;
    warn_of_no_headway(begin_outcome(folder_.outcome(), steps_done_, start_.name(), total_steps_),
                       steps_done_);
    cut_draw_logs_back(folder_.draws(), steps_done_);
    write_file_atomically(folder_.config(), to_toml(config_, train_sections()));
    if (steps_done_ > 0) warn_of_other_build(folder_.environment());
    write_file_atomically(folder_.environment(), environment);
  });
  context_.begun = true;
}

void TrainRun::announce() const {
  log::info("run         ", folder_.path().string());
  warn_of_ineffective_keys(config_);
  warn_of_drill(config_.drill);
  warn_of_slow_products(
      config_.precision.compute, device_,
      "Set precision.compute=fp32 (and --allow-change precision.compute where the run has begun).");
  log::info("data        ", config_.data.folder, ": ", count(dataset_.size()), " images of ",
            dataset_.height(), "x", dataset_.width(), "x", dataset_.channels(), ", ",
            dataset_.class_names().size(), " classes");
  log::info("model       ", config_.model.name, ", ", parameters_of(*network_));
  log::info("ranks       ", comm_.world_size(), " (", comm_.backend(), ") with ", threads_,
            threads_ == 1 ? " thread" : " threads", " each on ", device_name(device_), ", ",
            config_.precision.compute);
  log::info("steps       ", count(total_steps_), " of ", count(config_.run.batch_size), " images",
            steps_done_ > 0 ? cat(", continuing after step ", count(steps_done_)) : "");
}

BatchPlan TrainRun::batch_plan() const {
  return {.seed = static_cast<std::uint64_t>(config_.run.seed),
          .batch_size = config_.run.batch_size,
          .rank = comm_.rank(),
          .world_size = comm_.world_size(),
          .flip = config_.data.flip,
          .verify = config_.data.verify,
          .pinned = device_.is_cuda()};
}

std::unique_ptr<CheckpointHook> TrainRun::make_checkpoint_hook(TrainStep& step) {
  RunState run_state;
  run_state.seed = static_cast<std::uint64_t>(config_.run.seed);
  run_state.config_toml = to_toml(config_, train_sections());
  run_state.dataset_fingerprint = dataset_.fingerprint();
  run_state.class_names = class_names_of(dataset_, config_.model);
  run_state.world_size = comm_.world_size();
  return std::make_unique<CheckpointHook>(CheckpointHook::Parts{
      .writer = leads() ? make_checkpoint_writer(folder_, config_, records_->log(), registry(),
                                                 tell_report())
                        : nullptr,
      .state = *state_,
      .comm = comm_,
      .every_steps = config_.checkpoint.every_steps,
      .run_state = std::move(run_state),
      .control = [&step] { return step.control().state(); },
      .batch_size = config_.run.batch_size});
}

/// For after each checkpoint; and for after the end.
std::function<void()> TrainRun::tell_report() {
  if (!config_.metrics.report) return {};
  const auto report = std::make_shared<RunReport>(folder_.path());
  context_.after_outcome = [report] { report->write(); };
  return [report] { report->write_if_due(); };
}

std::unique_ptr<TrainingHook> TrainRun::make_evaluation_hook(CheckpointHook& checkpoints) {
  return std::make_unique<EvaluationHook>(
      EvaluationHook::Parts{.scorer = *scorer_,
                            .network = *network_,
                            .state = *state_,
                            .schedule = schedule_,
                            .comm = comm_,
                            .device = device_,
                            .config = config_,
                            .class_names = class_names_of(dataset_, config_.model),
                            .log = folder_.evaluation_log(),
                            .registry = registry(),
                            .events = records_->events(),
                            .keep_best = [this, &checkpoints](std::int64_t step) {
                              checkpoints.finish_writing();
                              agree(comm_, [&] {
                                if (leads())
                                  CheckpointFolder(folder_.checkpoints()).mark_best(step);
                              });
                            }});
}

/// Collective. False where a rank was asked to stop.
bool TrainRun::prepare_evaluation() {
  if (config_.evaluation.every_steps == 0) return true;
  const SectionScope section(comm_, CommSection::evaluation);
  scorer_ = std::make_unique<Scorer>(training_evaluation(config_), comm_, device_, threads_);
  return scorer_->measure_reference(progress_style(comm_.rank()));
}

using Hooks = std::vector<std::unique_ptr<TrainingHook>>;

/// Collective.
std::unique_ptr<RunRecords> TrainRun::make_records() {
  const double peak_flops_per_s = effuse::peak_flops_per_s(config_, device_);
  return std::make_unique<RunRecords>(RunRecords::Parts{
      .config = config_,
      .folder = folder_,
      .session = context_.session,
      .comm = comm_,
      .device = device_,
      .run = {.total_steps = total_steps_,
              .batch_size = config_.run.batch_size,
              .dataset_size = dataset_.size(),
              .timesteps = schedule_.size(),
              // The backward pass makes two products for each of the forward pass.
              .flops_per_image =
                  3.0 * forward_flops(*network_, device_, weight_type(config_.precision)),
              .peak_flops_per_s = peak_flops_per_s * comm_.world_size(),
              .folder = folder_.path()},
      .steps_done = steps_done_,
      .attempt = goodput_ ? goodput_->goodput().state().attempts : 0});
}

Hooks TrainRun::make_hooks(Loader& loader, TrainStep& step) {
  Hooks hooks;
  hooks.push_back(std::make_unique<OutcomeHook>(context_));
  hooks.push_back(std::make_unique<DrillHook>(Drill(config_.drill, comm_.rank()), *state_, comm_));
  records_->begin(steps_done_, hooks, loader, damaged_);
  if (leads()) {
    hooks.push_back(
        std::make_unique<BadStepHook>(BatchSource(dataset_, batch_plan()), folder_.bad_steps()));
  }
  hooks.push_back(std::make_unique<ProgressHook>(total_steps_, config_.run.batch_size,
                                                 progress_style(comm_.rank())));
  if (comm_.world_size() > 1 && config_.parallel.straggler_every_steps > 0) {
    hooks.push_back(std::make_unique<StragglerHook>(comm_, config_.parallel, config_.run.batch_size,
                                                    registry()));
  }
  // The preview comes first: a checkpoint is the last thing that happens at a step, but for the
  // evaluation, which marks the best one.
  auto preview = std::make_unique<PreviewHook>(
      PreviewHook::Parts{*network_, *state_, schedule_, comm_, device_, config_, folder_,
                         class_names_of(dataset_, config_.model)});
  hooks.push_back(timed(std::move(preview), goodput_.get(), registry(), Lost::preview));
  records_->add_picture_hook(hooks);
  hooks.push_back(
      std::make_unique<ReplicaHook>(*state_, comm_, config_.parallel.replica_check_every_steps));
  auto checkpoints = make_checkpoint_hook(step);
  CheckpointHook& checkpoint_hook = *checkpoints;
  hooks.push_back(timed(std::move(checkpoints), goodput_.get(), registry(), Lost::checkpoint));
  if (scorer_) {
    hooks.push_back(
        timed(make_evaluation_hook(checkpoint_hook), goodput_.get(), registry(), Lost::evaluation));
  }
  if (leads()) {
    hooks.push_back(
        std::make_unique<GoodputHook>(*goodput_, folder_.goodput(), config_, registry()));
  }
  return hooks;
}

/// From steps_done_ on, as far as it goes.
TrainingEnd TrainRun::train() {
  Loader loader(BatchSource(dataset_, batch_plan(), &damaged_),
                {.first_step = steps_done_,
                 .workers = static_cast<int>(config_.data.workers),
                 .prefetch_batches = static_cast<int>(config_.data.prefetch_batches)});
  TrainStep step(*network_, *state_, schedule_, comm_, config_, {total_steps_, dataset_.size()},
                 device_);
  if (control_) step.control().restore(*control_);
  if (config_.metrics.draws) {
    draw_log_ = std::make_unique<DrawLog>(folder_.draws(), comm_.rank(), steps_done_);
    step.write_draws_to(draw_log_.get());
  }
  BatchFeed feed(loader, device_);
  Trainer trainer(step, feed,
                  {.total_steps = total_steps_, .bad_steps = config_.recovery.skip_limit},
                  make_hooks(loader, step));
  const SectionScope section(comm_, CommSection::step);
  const TrainingEnd end = trainer.run(steps_done_);
  if (draw_log_) agree(comm_, [&] { draw_log_->sync(); });
  return end;
}

/// Collective. Back to the newest checkpoint, with a lower learning rate.
void TrainRun::go_back() {
  const ControlState before = control_.value_or(ControlState{});
  std::optional<CheckpointContents> contents;
  agree(comm_, [&] {
    if (!leads()) return;
    contents = find_last_good(folder_, config_.recovery, before.restores, context_.step);
  });
  take_place(contents);
  restore(*state_, comm_, contents);
  if (leads()) count_restore(registry());
  // The checkpoint may be older than the restore before this one.
  control_->restores = before.restores + 1;
  control_->lr_factor = before.lr_factor * config_.recovery.lr_factor;
  log::warning("back to the checkpoint of step ", steps_done_, "; the learning rate is now ",
               control_->lr_factor, " times what is configured");
}

JobEnd TrainRun::run() {
  begin();
  announce();
  if (steps_done_ >= total_steps_) {
    log::info("finished already. Give more steps to go on, or --fresh to start over.");
    return {ExitCode::done, "all steps were done before"};
  }
  write_run_files();
  if (leads()) {
    goodput_ = std::make_unique<GoodputMeter>(begin_goodput(folder_.goodput(), steps_done_));
  }
  records_ = make_records();
  const JobEnd end = evaluate_and_train();
  records_->ended(end.code);
  return end;
}

/// Collective.
JobEnd TrainRun::evaluate_and_train() {
  {
    std::optional<Pause> pause;
    if (leads()) pause.emplace(paused_gauge(registry(), Lost::evaluation));
    if (!prepare_evaluation()) return {ExitCode::stopped, "asked to stop"};
  }
  TrainingEnd end = train();
  while (end == TrainingEnd::diverged) {
    go_back();
    end = train();
  }
  if (end == TrainingEnd::finished) {
    log::info("done: ", total_steps_, " steps. Images: effuse-sample --weights ",
              shell_word(folder_.path().string()), " --output samples");
    return {ExitCode::done, "all steps done"};
  }
  log::info("stopped after step ", context_.step, " with a checkpoint (",
            signal_name(stop_signal()), " at this rank). The same command continues.");
  return {ExitCode::stopped, "asked to stop"};
}

}  // namespace effuse
