/// step_profile [arguments of effuse-train] [--steps N] [--trace FILE]: where the time of a
/// training step goes, on one rank. Trains 3 + N steps as effuse-train would and prints, from the
/// profiler's record of the last N, JSON lines:
///
///   {"parameters": …, "wall_s": …, "reports": {…}}           seconds a step, and its parts
///   {"op": …, "scope": …, "calls": …, "self_s": …}           of the host, a step
///   {"kernel": …, "calls": …, "self_s": …}                   of the GPU, a step
///
/// `scope` is the innermost of our own scopes ("effuse::…") or backward nodes around the operation.
/// FILE: the timeline, for chrome://tracing or Perfetto.

#include <ATen/Parallel.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/resolve.hpp"
#include "app/run_job.hpp"
#include "app/train_settings.hpp"
#include "models/factory.hpp"
#include "models/precision.hpp"
#include "models/weights.hpp"
#include "step_profiler.hpp"
#include "training/batch_feed.hpp"
#include "training/gradient_order.hpp"
#include "training/optimiser.hpp"
#include "training/step.hpp"
#include "training/stopwatch.hpp"

namespace effuse::benchmark {
namespace {

constexpr std::int64_t kWarmUpSteps = 3;

Program program() {
  return {.name = "step_profile",
          .summary = "Says where the time of a training step goes, for benchmarks.",
          .examples = "  step_profile --config run.toml --data packed --steps 5\n",
          .sections = train_sections(),
          .key_flags = {{"--data", "data.folder"},
                        {"--steps", "run.steps"},
                        {"--batch-size", "run.batch_size"},
                        {"--device", "parallel.device"}},
          .extra_flags = {{"--trace", "write the timeline there", "FILE"}}};
}

/// Sums of the reports of some steps, by the names of train.jsonl.
class Sums {
 public:
  void add(const StepReport& report) {
    data_wait_s_ += report.data_wait_s;
    forward_s_ += report.forward_s;
    backward_s_ += report.backward_s;
    update_s_ += report.update_s;
    ++steps_;
  }
  nlohmann::json means() const {
    const auto n = static_cast<double>(steps_);
    return {{"data_wait_s", data_wait_s_ / n},
            {"forward_s", forward_s_ / n},
            {"backward_s", backward_s_ / n},
            {"update_s", update_s_ / n}};
  }

 private:
  double data_wait_s_ = 0, forward_s_ = 0, backward_s_ = 0, update_s_ = 0;
  std::int64_t steps_ = 0;
};

/// What trains, put together as TrainRun does it.
struct Training {
  Training(const Config& given, Communicator& comm, at::Device device)
      : config(given), dataset(open_dataset(given.data)), schedule(given.diffusion) {
    config.model = resolve_model(config.model, dataset);
    network = make_network(config.model);
    const auto seed = static_cast<std::uint64_t>(config.run.seed);
    initialise_weights(*network, seed);
    network->to(device);
    const auto format = memory_format(config.precision, device);
    state = std::make_unique<FlatState>(
        *network, moments_of(config.optimizer),
        FlatLayout{.order = gradient_order(*network),
                   .network_type = weight_type(config.precision),
                   .channels_last = format == at::MemoryFormat::ChannelsLast});
    loader = std::make_unique<Loader>(
        BatchSource(dataset, {.seed = seed,
                              .batch_size = config.run.batch_size,
                              .flip = config.data.flip,
                              .verify = config.data.verify,
                              .pinned = device.is_cuda()}),
        Loader::Options{.workers = static_cast<int>(config.data.workers),
                        .prefetch_batches = static_cast<int>(config.data.prefetch_batches)});
    feed = std::make_unique<BatchFeed>(*loader, device);
    step = std::make_unique<TrainStep>(
        *network, *state, schedule, comm, config,
        TrainExtent{.total_steps = kWarmUpSteps + config.run.steps, .dataset_size = dataset.size()},
        device);
  }

  /// One step, from beginning to end.
  StepReport make_step() {
    Stopwatch watch;
    const Batch batch = feed->next();
    const double data_wait_s = watch.lap_s();
    step->launch(batch, /*stop_wanted=*/false);
    feed->prefetch();
    StepReport report = step->finish();
    report.data_wait_s = data_wait_s;
    return report;
  }

  Config config;
  ShardedDataset dataset;
  Schedule schedule;
  std::shared_ptr<Network> network;
  std::unique_ptr<FlatState> state;
  std::unique_ptr<Loader> loader;
  std::unique_ptr<BatchFeed> feed;
  std::unique_ptr<TrainStep> step;
};

JobEnd run_profile(JobContext& context) {
  const Config& config = context.line.config;
  const at::Device device = choose_device(config.parallel, context.session.local_rank());
  at::set_num_threads(choose_threads(config.parallel, context.session));
  configure_kernels(config, device);
  const auto comm = open_communicator(context.session, config.parallel, device);
  Training training(config, *comm, device);
  const SectionScope section(*comm, CommSection::step);
  for (std::int64_t i = 0; i < kWarmUpSteps; ++i) training.make_step();

  const std::int64_t steps = std::max<std::int64_t>(config.run.steps, 1);
  Sums sums;
  StepProfiler profiler(device);
  Stopwatch watch;
  for (std::int64_t i = 0; i < steps; ++i) sums.add(training.make_step());
  const double wall_s = watch.lap_s() / static_cast<double>(steps);
  profiler.stop();
  std::cout << nlohmann::json{{"parameters", count_parameters(*training.network)},
                              {"wall_s", wall_s},
                              {"reports", sums.means()}}
            << '\n';
  profiler.print(std::cout, steps);
  if (context.line.has("trace")) profiler.save(context.line.extras.at("trace").back());
  return {};
}

}  // namespace
}  // namespace effuse::benchmark

int main(int argc, char** argv) {
  using namespace effuse;
  const Job job{benchmark::program(), [](const CommandLine&) {}, &benchmark::run_profile};
  return run_job(job, argc, argv);
}
