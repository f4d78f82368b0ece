#include "app/sample_job.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/grid_picture.hpp"
#include "app/resolve.hpp"
#include "app/sample_request.hpp"
#include "app/trained_model.hpp"
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
          .sections = {"sampling", "parallel"},
          .key_flags = {{"--weights", "sampling.weights"},
                        {"--weights-kind", "sampling.weights_kind"},
                        {"--output", "sampling.output"},
                        {"--format", "sampling.format"},
                        {"--number", "sampling.number"},
                        {"--classes", "sampling.classes"},
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
                        {"--device", "parallel.device"}},
          .extra_flags = {}};
}

GenerationSettings settings_from(const SampleRequest& request) {
  return {.sampler = request.sampler,
          .guidance = request.sampling.guidance,
          .tile_size = request.sampling.tile,
          .height = request.height,
          .width = request.width,
          .compute = request.sampling.compute};
}

SampleSet make_set(const SampleRequest& request, const TrainedModelDescription& model) {
  const auto numbers = request.classes.classes();
  return SampleSet(request.sampling.output, {.sampling = request.sampling,
                                             .weights_sha256 = model.sha256,
                                             .weights_step = model.step,
                                             .noise_sha256 = request.noise_sha256,
                                             .classes = {numbers.begin(), numbers.end()},
                                             .class_names = model.class_names});
}

void announce(const SampleRequest& request, const TrainedModel& model, int ranks) {
  const SamplingConfig& s = request.sampling;
  log::info("sampling ", human_count(static_cast<std::uint64_t>(s.number)), " images with ",
            s.sampler, ", ", s.steps, " steps, ",
            request.classes.conditional() ? cat("guidance ", s.guidance)
                                          : "no guidance (the model has no classes)",
            s.convention == "effuse" ? "" : cat(", in the convention ", s.convention),
            ", from step ", model.step, " of ", s.weights, " over ", ranks,
            ranks == 1 ? " rank" : " ranks");
}

/// The first images of the set as one picture, and the mark that it is complete.
void finish(const SampleSet& set, const ImageStore& store, const SampleRequest& request,
            const TrainedModelDescription& model) {
  const GridLayout layout = grid_layout(request.classes, model.class_names);
  store.finish(request.sampling.number, request.sampling.tile);
  const std::int64_t shown = std::min(request.sampling.number, layout.columns * kMaximumGridRows);
  write_grid_picture(set.folder() / "grid.png", store.first(shown), layout);
  set.complete();
}

JobEnd generate(JobContext& context, Communicator& comm, at::Device device) {
  const TrainedModel model = load_trained_model(comm, context.line.config.sampling, device);
  const Schedule schedule = agree_value(comm, [&] { return Schedule(model.diffusion); });
  const SampleRequest request = agree_value(
      comm, [&] { return resolve_request(context.line.config.sampling, model, schedule); });
  const SamplingConfig& sampling = request.sampling;
  const SampleSet set = make_set(request, model);
  agree(comm, [&] {
    if (comm.rank() == 0) set.begin();
  });
  announce(request, model, comm.world_size());
  warn_of_slow_products(sampling.compute, device, "Set sampling.compute=fp32.");
  const auto store =
      agree_value(comm, [&] { return make_image_store(sampling.format, set.folder()); });
  const TileGenerator generator(*model.network, schedule, request.classes, *request.noise,
                                settings_from(request), device);
  comm.enter(CommSection::preview);
  const BulkEnd end =
      generate_in_bulk(generator, {sampling.number, sampling.tile, progress_style(comm.rank())},
                       *store, comm, device);
  if (end == BulkEnd::stopped) {
    log::info("stopped; the same command completes the set");
    return {ExitCode::stopped, "asked to stop"};
  }
  agree(comm, [&] {
    if (comm.rank() == 0) finish(set, *store, request, model);
  });
  log::info("images      ",
            (set.folder() / (sampling.format == "png" ? "images" : "images.safetensors")).string());
  log::info("grid        ", (set.folder() / "grid.png").string());
  return {};
}

JobEnd run_sampling(JobContext& context) {
  const Config& config = context.line.config;
  const at::Device device = choose_device(config.parallel, context.session.local_rank());
  at::set_num_threads(choose_threads(config.parallel, context.session));
  const auto comm = open_communicator(context.session, config.parallel, device);
  require_same_config(*comm, config);
  return generate(context, *comm, device);
}

void check_sampling(const CommandLine& line) {
  const SamplingConfig& sampling = line.config.sampling;
  choose_device(line.config.parallel, 0);
  const TrainedModelDescription model = describe_trained_model(sampling);
  const Schedule schedule(model.diffusion);
  const SampleRequest request = resolve_request(sampling, model, schedule);
  make_set(request, model).check();
  log::info("ok: ", human_count(static_cast<std::uint64_t>(request.sampling.number)),
            " images from step ", model.step, " of ", sampling.weights, " into ", sampling.output);
}

}  // namespace

Job sample_job() { return {sample_program(), &check_sampling, &run_sampling}; }

}  // namespace effuse
