#include "app/train_job.hpp"

#include <ATen/Parallel.h>

#include <memory>
#include <utility>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/environment.hpp"
#include "app/exporter_hook.hpp"
#include "app/outcome.hpp"
#include "app/pretrained_weights.hpp"
#include "app/preview_hook.hpp"
#include "app/resolve.hpp"
#include "app/run_folder.hpp"
#include "app/start_run.hpp"
#include "comm/agreement.hpp"
#include "config/fields.hpp"
#include "config/toml_writer.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "data/loader.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "training/checkpoint_hook.hpp"
#include "training/duration.hpp"
#include "training/log_hooks.hpp"
#include "training/metrics_hook.hpp"
#include "training/optimiser.hpp"
#include "training/restore.hpp"

namespace effuse {
namespace {

Program train_program() {
  return {.name = "effuse-train",
          .summary =
              "Trains a diffusion model on a packed data set, data-parallel over MPI ranks. The "
              "same command continues a run that was stopped.",
          .examples =
              "  mpirun -n 2 effuse-train --config configs/train/fashion-mnist.toml --data "
              "packed/fashion\n"
              "  effuse-train --config run.toml --steps 20000 --set optimizer.lr=1e-4\n"
              "  effuse-train --config run.toml --check\n",
          .sections = {"run", "data", "model", "diffusion", "optimizer", "ema", "precision",
                       "parallel", "checkpoint", "recovery", "drill", "preview", "metrics"},
          .key_flags = {{"--name", "run.name"},
                        {"--runs", "run.folder"},
                        {"--data", "data.folder"},
                        {"--steps", "run.steps"},
                        {"--images", "run.images"},
                        {"--epochs", "run.epochs"},
                        {"--batch-size", "run.batch_size"},
                        {"--seed", "run.seed"},
                        {"--device", "parallel.device"}},
          .extra_flags = {
              {"--fresh", "move an existing run folder aside and start over", ""},
              {"--resume-from", "continue from the checkpoint of this step", "STEP"},
              {"--allow-change", "continue although this key was changed; repeatable", "KEY"}}};
}

std::string count(std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); }

std::vector<std::string> class_names_of(const ShardedDataset& dataset, const ModelConfig& model) {
  if (model.num_class_embeds == 0) return {};
  const auto names = dataset.class_names();
  return {names.begin(), names.end()};
}

/// "7,644,515 parameters", and how many of them the network has no use for.
std::string parameters_of(const Network& network) {
  const std::int64_t unused = count_unused_parameters(network);
  std::string text = count(count_parameters(network)) + " parameters";
  if (unused > 0) {
    text +=
        cat(" (", count(unused), " of them unused by the network: kept for loading, not trained)");
  }
  return text;
}

/// One process's part of a training run: what is built, in the order in which it is needed.
class TrainRun {
 public:
  TrainRun(JobContext& context, Communicator& comm, at::Device device, int threads);

  JobEnd run();

 private:
  void begin();
  void write_run_files() const;
  void announce() const;
  std::vector<std::unique_ptr<TrainingHook>> make_hooks(Loader& loader);
  std::unique_ptr<CheckpointHook> make_checkpoint_hook(MetricsHook* metrics);
  BatchPlan batch_plan() const;
  bool leads() const { return comm_.rank() == 0; }

  JobContext& context_;
  Communicator& comm_;
  Config config_;
  at::Device device_;
  int threads_;
  ShardedDataset dataset_;
  std::int64_t total_steps_;
  RunFolder folder_;
  StartOptions start_;
  Schedule schedule_;
  std::shared_ptr<Network> network_;
  std::unique_ptr<FlatState> state_;
  std::unique_ptr<metrics::JsonlWriter> log_;
  metrics::Registry registry_;
  std::int64_t steps_done_ = 0;
};

/// run.name has to be the name of a folder in run.folder.
void require_run_name(const RunConfig& run) {
  const std::filesystem::path name = run.name;
  if (name.empty() || name.has_parent_path() || name == "." || name == "..") {
    throw ConfigError(cat("run.name is \"", run.name,
                          "\" (it names a folder in run.folder). Give a plain name."));
  }
}

/// What the range of a single key cannot say.
void require_settings(const Config& config) {
  if (config.preview.steps > config.diffusion.timesteps) {
    throw ConfigError(cat("preview.steps is ", config.preview.steps,
                          ", but diffusion.timesteps is ", config.diffusion.timesteps,
                          ". Give at most as many."));
  }
  weight_decay_of(config.optimizer);
}

void warn_of_ineffective_keys(const Config& config) {
  for (const std::string& key : ineffective_keys(config)) {
    const bool of_model = key.starts_with("model.");
    log::warning(key, " has no effect on ", of_model ? config.model.name : config.optimizer.name);
  }
}

ShardedDataset open_dataset(const DataConfig& data) {
  if (data.folder.empty()) {
    throw ConfigError(
        "data.folder is not set (training needs a packed data set). Give --data FOLDER.");
  }
  return ShardedDataset::open(data.folder);
}

TrainRun::TrainRun(JobContext& context, Communicator& comm, at::Device device, int threads)
    : context_(context),
      comm_(comm),
      config_(context.line.config),
      device_(device),
      threads_(threads),
      dataset_(agree_value(comm, [&] { return open_dataset(config_.data); })),
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
  const std::string step = cat(contents ? contents->state.step : 0);
  steps_done_ = std::stoll(comm_.broadcast_text(step, 0));
  log::configure(
      {.rank = comm_.rank(), .world_size = comm_.world_size(), .file = folder_.log(comm_.rank())});
  if (steps_done_ == 0 && !config_.model.pretrained.empty()) {
    begin_from_pretrained(*network_, comm_, config_.model.pretrained);
  }
  state_ = std::make_unique<FlatState>(
      *network_, moments_of(config_.optimizer));  // its average begins as the weights are now
  if (steps_done_ > 0) restore(*state_, comm_, contents);
  context_.outcome_file = folder_.outcome();
  context_.step = steps_done_;
}

void TrainRun::write_run_files() const {
  const std::string environment = describe_environment(comm_, context_.session, device_, threads_);
  agree(comm_, [&] {
    if (!leads()) return;
    begin_outcome(folder_.outcome(), steps_done_, start_.name());
    write_file_atomically(folder_.config(), to_toml(config_, train_program().sections));
    write_file_atomically(folder_.environment(), environment);
  });
}

void TrainRun::announce() const {
  log::info("run         ", folder_.path().string());
  warn_of_ineffective_keys(config_);
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
          .verify = config_.data.verify};
}

std::unique_ptr<CheckpointHook> TrainRun::make_checkpoint_hook(MetricsHook* metrics) {
  RunState run_state;
  run_state.seed = static_cast<std::uint64_t>(config_.run.seed);
  run_state.config_toml = to_toml(config_, train_program().sections);
  run_state.dataset_fingerprint = dataset_.fingerprint();
  run_state.class_names = class_names_of(dataset_, config_.model);
  run_state.world_size = comm_.world_size();
  return std::make_unique<CheckpointHook>(
      CheckpointHook::Parts{.folder = CheckpointFolder(folder_.checkpoints()),
                            .state = *state_,
                            .comm = comm_,
                            .config = config_.checkpoint,
                            .run_state = std::move(run_state),
                            .batch_size = config_.run.batch_size,
                            .before_save =
                                [this] {
                                  if (log_) log_->sync();
                                },
                            .on_save =
                                [metrics](const CheckpointHook::Saved& saved) {
                                  if (metrics != nullptr)
                                    metrics->checkpoint_saved(saved.size_bytes, saved.seconds);
                                }});
}

/// The step count for outcome.json.
class OutcomeHook : public TrainingHook {
 public:
  explicit OutcomeHook(JobContext& context) : context_(context) {}
  void after_step(const StepReport& report) override { context_.step = report.step; }

 private:
  JobContext& context_;
};

std::vector<std::unique_ptr<TrainingHook>> TrainRun::make_hooks(Loader& loader) {
  std::vector<std::unique_ptr<TrainingHook>> hooks;
  hooks.push_back(std::make_unique<OutcomeHook>(context_));
  MetricsHook* metrics = nullptr;
  if (leads()) {
    log_ = std::make_unique<metrics::JsonlWriter>(folder_.metrics_log(), steps_done_);
    hooks.push_back(std::make_unique<JsonlHook>(*log_, config_.run.log_every_steps, total_steps_));
    auto metrics_hook = std::make_unique<MetricsHook>(registry_, total_steps_,
                                                      [&loader] { return loader.queued(); });
    metrics = metrics_hook.get();
    hooks.push_back(std::move(metrics_hook));
    hooks.push_back(std::make_unique<ExporterHook>(registry_, config_, context_.session.host(),
                                                   folder_.target(0)));
  }
  hooks.push_back(std::make_unique<ProgressHook>(total_steps_, config_.run.batch_size,
                                                 progress_style(comm_.rank())));
  // The preview comes first: a checkpoint is the last thing that happens at a step.
  hooks.push_back(std::make_unique<PreviewHook>(
      PreviewHook::Parts{*network_, *state_, schedule_, comm_, device_, config_, folder_.previews(),
                         class_names_of(dataset_, config_.model)}));
  hooks.push_back(make_checkpoint_hook(metrics));
  return hooks;
}

JobEnd TrainRun::run() {
  begin();
  announce();
  if (steps_done_ >= total_steps_) {
    log::info("finished already. Give more steps to go on, or --fresh to start over.");
    return {ExitCode::done, "all steps were done before"};
  }
  write_run_files();
  Loader loader(BatchSource(dataset_, batch_plan()),
                {.first_step = steps_done_,
                 .workers = static_cast<int>(config_.data.workers),
                 .prefetch_batches = static_cast<int>(config_.data.prefetch_batches)});
  TrainStep step(*network_, *state_, schedule_, comm_, config_, {total_steps_, dataset_.size()},
                 device_);
  Trainer trainer(step, loader, total_steps_, make_hooks(loader));
  comm_.enter(CommSection::step);
  if (trainer.run(steps_done_) == TrainingEnd::finished) {
    log::info("done: ", total_steps_, " steps. Images: effuse-sample --weights ",
              folder_.path().string(), " --output samples");
    return {ExitCode::done, "all steps done"};
  }
  log::info("stopped after step ", context_.step, " with a checkpoint (",
            signal_name(stop_signal()), " at this rank). The same command continues.");
  return {ExitCode::stopped, "asked to stop"};
}

/// Takes a run that exists for this job, so that whatever refuses this attempt from here on is
/// recorded as its outcome.
void claim_run(JobContext& context, Communicator& comm) {
  const RunConfig& run = context.line.config.run;
  agree(comm, [&] {
    require_run_name(run);
    const RunFolder folder(run);
    if (comm.rank() != 0 || !std::filesystem::exists(folder.path())) return;
    context.lock = folder.lock();
    context.outcome_file = folder.outcome();
    context.step = last_step(folder.outcome());
  });
}

JobEnd run_training(JobContext& context) {
  const Config& config = context.line.config;
  Session& session = context.session;
  const at::Device device = choose_device(config.parallel, session.local_rank());
  const int threads = choose_threads(config.parallel, session);
  at::set_num_threads(threads);
  const auto comm = open_communicator(session, config.parallel, device);
  claim_run(context, *comm);
  require_same_config(*comm, config);
  agree(*comm, [&] { require_settings(config); });
  return TrainRun(context, *comm, device, threads).run();
}

void check_training(const CommandLine& line) {
  const StartOptions options = StartOptions::from(line);
  Config config = line.config;
  require_run_name(config.run);
  require_settings(config);
  choose_device(config.parallel, 0);
  const ShardedDataset dataset = open_dataset(config.data);
  const std::int64_t steps = total_steps(config.run, dataset.size());
  config.model = resolve_model(config.model, dataset);
  const auto network = make_network(config.model);
  const Schedule schedule(config.diffusion);
  const RunFolder folder(config.run);
  warn_of_ineffective_keys(config);
  const std::int64_t done = check_start(folder, options, config, dataset.fingerprint());
  if (done == 0 && !config.model.pretrained.empty()) {
    check_pretrained(*network, config.model.pretrained);
  }
  log::info("ok: ", count(steps), " steps of ", config.run.batch_size, " of ",
            count(dataset.size()), " images, ", parameters_of(*network), ", into ",
            folder.path().string(), done > 0 ? cat(", continuing after step ", count(done)) : "");
}

}  // namespace

Job train_job() { return {train_program(), &check_training, &run_training}; }

}  // namespace effuse
