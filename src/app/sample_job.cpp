#include "app/sample_job.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/grid_picture.hpp"
#include "app/outcome_flag.hpp"
#include "app/resolve.hpp"
#include "app/result_files.hpp"
#include "app/sample_report.hpp"
#include "app/sample_request.hpp"
#include "app/sample_scores.hpp"
#include "app/scorer.hpp"
#include "app/trained_model.hpp"
#include "app/training_histogram.hpp"
#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "generation/bulk.hpp"
#include "generation/image_store.hpp"
#include "generation/sample_set.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kMaximumGridRows = 10;

Program sample_program() {
  return {.name = "effuse-sample",
          .summary =
              "Generates images from a trained model, the work split over MPI ranks. An "
              "image depends on weights, settings, seed and its number alone.",
          .examples =
              "  effuse-sample --weights runs/fashion-mnist --number 100 --output samples\n"
              "  mpirun -n 2 effuse-sample --weights runs/faces --classes '[\"cat\",\"dog\"]' \\\n"
              "      --number 5000 --guidance 3 --steps 50 --seed 7 --output samples\n",
          .sections = {"sampling", "evaluation", "parallel", "metrics"},
          .key_flags = {{"--weights", "sampling.weights"},
                        {"--weights-kind", "sampling.weights_kind"},
                        {"--output", "sampling.output"},
                        {"--format", "sampling.format"},
                        {"--quality", "sampling.quality"},
                        {"--number", "sampling.number"},
                        {"--seeds", "sampling.seeds"},
                        {"--part", "sampling.part"},
                        {"--size", "sampling.size"},
                        {"--classes", "sampling.classes"},
                        {"--classes-file", "sampling.classes_file"},
                        {"--dataset", "sampling.dataset"},
                        {"--labels", "sampling.labels"},
                        {"--noise", "sampling.noise"},
                        {"--guidance", "sampling.guidance"},
                        {"--seed", "sampling.seed"},
                        {"--sampler", "sampling.sampler"},
                        {"--steps", "sampling.steps"},
                        {"--eta", "sampling.eta"},
                        {"--convention", "sampling.convention"},
                        {"--tile", "sampling.tile"},
                        {"--compute", "sampling.compute"},
                        {"--evaluate", "sampling.evaluate"},
                        {"--metrics", "evaluation.metrics"},
                        {"--device", "parallel.device"}},
          .extra_flags = {outcome_flag()}};
}

GenerationSettings settings_from(const SampleRequest& request) {
  return {.sampler = request.sampler,
          .guidance = request.sampling.guidance,
          .tile_size = request.sampling.tile,
          .height = request.height,
          .width = request.width,
          .compute = request.sampling.compute,
          .records_steps = request.sampling.cuda_graph};
}

StoreSettings store_settings(const SampleRequest& request, const TrainedModelDescription& model) {
  return {.format = request.sampling.format,
          .quality = request.sampling.quality,
          .set = request.set,
          .tile_size = request.sampling.tile,
          .classes = request.classes,
          .class_names = model.class_names,
          .source_sha256 = model.sha256};
}

SampleSet make_set(const SampleRequest& request, const TrainedModelDescription& model,
                   at::Device device) {
  const auto numbers = request.classes.classes();
  const bool cycles = request.class_counts.empty();
  return SampleSet(request.sampling.output,
                   {.sampling = request.sampling,
                    .set = request.set,
                    .height = request.height,
                    .width = request.width,
                    .weights_sha256 = model.sha256,
                    .weights_step = model.step,
                    .noise_sha256 = request.noise_sha256,
                    .classes = cycles ? std::vector<std::int64_t>(numbers.begin(), numbers.end())
                                      : std::vector<std::int64_t>(),
                    .class_counts = request.class_counts,
                    .class_names = model.class_names,
                    .device = device_name(device)});
}

std::string what_is_made(const SampleRequest& request) {
  const auto tiles = tiles_of_part(request.tiles(), request.part);
  return cat(human_count(static_cast<std::uint64_t>(request.set.count())),
             request.set.count() == 1 ? " image" : " images",
             request.set.first == 0 ? "" : cat(" (", to_text(request.set), ")"),
             request.part.of == 1 ? ""
                                  : cat(", of them part ", request.sampling.part, " with ",
                                        tiles.size(), tiles.size() == 1 ? " tile" : " tiles"));
}

void announce(const SampleRequest& request, const TrainedModel& model, int ranks) {
  const SamplingConfig& s = request.sampling;
  log::info("sampling ", what_is_made(request), " with ", s.sampler, ", ", s.steps, " steps, ",
            request.classes.conditional() ? cat("guidance ", s.guidance)
                                          : "no guidance (the model has no classes)",
            s.convention == "effuse" ? "" : cat(", in the convention ", s.convention),
            ", from step ", model.step, " of ", s.weights, " over ", ranks,
            ranks == 1 ? " rank" : " ranks");
}

/// The first images of the set as one picture.
void write_grid(const SampleSet& set, const ImageStore& store, const SampleRequest& request,
                const TrainedModelDescription& model) {
  const GridLayout layout = grid_layout(request.classes, model.class_names, request.set.first);
  const std::int64_t shown = std::min(request.set.count(), layout.columns * kMaximumGridRows);
  write_grid_picture(set.folder() / "grid.png", store.first(shown), layout);
}

/// Finishes the set where all its tiles are there: of several parts that end at once, the last one.
/// Whether it is complete.
bool finish_if_whole(const SampleSet& set, const SampleRequest& request,
                     const TrainedModelDescription& model) {
  const auto lock = set.lock();
  // Opened anew: another part may have finished the set meanwhile.
  const auto store = make_image_store(set.folder(), store_settings(request, model));
  const std::vector<Tile> tiles = request.tiles();
  if (!std::ranges::all_of(tiles, [&](const Tile& tile) { return store->seems_there(tile); })) {
    return false;
  }
  store->finish(tiles);
  write_grid(set, *store, request, model);
  set.complete();
  return true;
}

/// Takes this job's part, and begins the set unless it is begun.
std::unique_ptr<LockFile> begin(const SampleSet& set, const SampleRequest& request,
                                const TrainedModelDescription& model) {
  set.check();
  auto part = set.lock(request.part);
  const auto lock = set.lock();
  set.require_unshared(request.part);
  set.begin();
  make_image_store(set.folder(), store_settings(request, model))
      ->prepare(tiles_of_part(request.tiles(), request.part));
  return part;
}

void say_where(const SampleSet& set, const SampleRequest& request, bool complete) {
  log::info("images      ", images_path(set.folder(), request.sampling.format).string());
  if (complete) {
    log::info("grid        ", (set.folder() / "grid.png").string());
  } else {
    log::info("part ", request.sampling.part, " is done; the set is complete once all parts are");
  }
}

BulkEnd make_part(JobContext& context, const TileGenerator& generator, const SampleSet& set,
                  const SampleRequest& request, const TrainedModel& model, Communicator& comm) {
  const Config& config = context.line.config;
  const auto store = agree_value(
      comm, [&] { return make_image_store(set.folder(), store_settings(request, model)); });
  BulkTask task{.tiles = tiles_of_part(request.tiles(), request.part),
                .patience_s = config.parallel.preview_timeout_s,
                .report = {}};
  std::optional<SampleReport> report;
  if (comm.rank() == 0) {
    report.emplace(config, context.session.host(), set.folder(), request.part);
    task.report = [&](const BulkProgress& progress) { report->show(progress); };
  }
  const BulkEnd end = generate_in_bulk(generator, task, *store, comm);
  if (report) report->finish();
  return end;
}

/// That the first of the files can be written.
void require_output(const SampleRequest& request) {
  const SamplingConfig& sampling = request.sampling;
  const char* const file = sampling.evaluate.empty() ? "samples.json" : "result.json";
  require_writable(std::filesystem::path(sampling.output) / file, "sampling.output");
}

/// Generates the images of the request into files.
JobEnd write_set(JobContext& context, const TileGenerator& generator, const SampleRequest& request,
                 const TrainedModel& model, Communicator& comm, Communicator& host_comm,
                 at::Device device) {
  const SampleSet set = make_set(request, model, device);
  const auto part = agree_value(comm, [&] {
    return comm.rank() == 0 ? begin(set, request, model) : std::unique_ptr<LockFile>();
  });
  comm.enter(CommSection::preview);
  host_comm.enter(CommSection::preview);
  if (make_part(context, generator, set, request, model, host_comm) == BulkEnd::stopped) {
    log::info("stopped; the same command completes the set");
    return {ExitCode::stopped, "asked to stop"};
  }
  const bool complete =
      agree_value(comm, [&] { return comm.rank() == 0 && finish_if_whole(set, request, model); });
  say_where(set, request, complete);
  return {ExitCode::done,
          complete ? "the set is complete" : cat("part ", request.sampling.part, " is done")};
}

JobEnd generate(JobContext& context, Communicator& comm, Communicator& host_comm, at::Device device,
                int threads) {
  const Config& config = context.line.config;
  const SamplingConfig& sampling = config.sampling;
  const TrainedModel model = load_trained_model(comm, sampling, device);
  const Schedule schedule = agree_value(comm, [&] { return Schedule(model.diffusion); });
  const auto counts = training_histogram(comm, sampling, model);
  const SampleRequest request =
      agree_value(comm, [&] { return resolve_request(sampling, model, schedule, counts); });
  agree(comm, [&] {
    if (!sampling.evaluate.empty()) require_scorable(request);
    if (comm.rank() == 0) require_output(request);
  });
  announce(request, model, comm.world_size());
  warn_of_slow_products(sampling.compute, device, "Set sampling.compute=fp32.");
  const TileGenerator generator(*model.network, schedule, request.classes, *request.noise,
                                settings_from(request), device);
  if (sampling.evaluate.empty()) {
    return write_set(context, generator, request, model, comm, host_comm, device);
  }
  return score_samples(context, request, make_set(request, model, device).record(), generator, comm,
                       device, threads);
}

JobEnd run_sampling(JobContext& context) {
  const Config& config = context.line.config;
  const at::Device device = choose_device(config.parallel, context.session.local_rank());
  const int threads = choose_threads(config.parallel, context.session);
  at::set_num_threads(threads);
  const auto comm = open_communicator(context.session, config.parallel, device);
  // What the ranks tell each other while they compute is not to disturb their GPUs.
  ParallelConfig on_host = config.parallel;
  on_host.backend = "auto";
  const auto host_comm = open_communicator(context.session, on_host, at::kCPU);
  require_same_config(*comm, config);
  return generate(context, *comm, *host_comm, device, threads);
}

void check_sampling(const CommandLine& line) {
  const SamplingConfig& sampling = line.config.sampling;
  const at::Device device = choose_device(line.config.parallel, 0);
  const TrainedModelDescription model = describe_trained_model(sampling);
  const Schedule schedule(model.diffusion);
  const SampleRequest request =
      resolve_request(sampling, model, schedule, training_histogram(sampling, model));
  require_output(request);
  if (sampling.evaluate.empty()) {
    make_set(request, model, device).check();
  } else {
    require_scorable(request);
    check_scorer(scores_wanted(line.config, request));
  }
  log::info("ok: ", what_is_made(request), " from step ", model.step, " of ", sampling.weights,
            " into ", sampling.output);
}

}  // namespace

Job sample_job() { return {sample_program(), &check_sampling, &run_sampling}; }

}  // namespace effuse
