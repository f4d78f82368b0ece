#include "app/train_job.hpp"

#include <ATen/Parallel.h>

#include <filesystem>
#include <string>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/evaluation_hook.hpp"
#include "app/outcome.hpp"
#include "app/pretrained_weights.hpp"
#include "app/resolve.hpp"
#include "app/run_folder.hpp"
#include "app/scorer.hpp"
#include "app/start_run.hpp"
#include "app/train_run.hpp"
#include "app/train_settings.hpp"
#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "models/factory.hpp"
#include "training/drill_hook.hpp"
#include "training/duration.hpp"

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
          .sections = train_sections(),
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
  configure_kernels(config, device);
  const auto comm = open_communicator(session, config.parallel, device);
  claim_run(context, *comm);
  require_same_config(*comm, config);
  agree(*comm, [&] {
    require_settings(config);
    require_drill(config.drill, comm->world_size());
  });
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
  if (config.evaluation.every_steps > 0) check_scorer(training_evaluation(config));
  const RunFolder folder(config.run);
  warn_of_ineffective_keys(config);
  const std::int64_t done = check_start(folder, options, config, dataset.fingerprint());
  if (done == 0 && !config.model.pretrained.empty()) {
    check_pretrained(*network, config.model.pretrained);
  }
  log::info("ok: ", human_count(static_cast<std::uint64_t>(steps)), " steps of ",
            config.run.batch_size, " of ", human_count(static_cast<std::uint64_t>(dataset.size())),
            " images, ", parameters_of(*network), ", into ", folder.path().string(),
            done > 0 ? cat(", continuing after step ", done) : "");
}

}  // namespace

Job train_job() { return {train_program(), &check_training, &run_training}; }

}  // namespace effuse
