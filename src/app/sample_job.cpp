#include "app/sample_job.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/grid_picture.hpp"
#include "app/resolve.hpp"
#include "app/trained_model.hpp"
#include "comm/agreement.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "generation/bulk.hpp"
#include "generation/image_files.hpp"
#include "generation/sample_set.hpp"
#include "image/decode.hpp"

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
                        {"--number", "sampling.number"},
                        {"--classes", "sampling.classes"},
                        {"--guidance", "sampling.guidance"},
                        {"--seed", "sampling.seed"},
                        {"--sampler", "sampling.sampler"},
                        {"--steps", "sampling.steps"},
                        {"--eta", "sampling.eta"},
                        {"--tile", "sampling.tile"},
                        {"--compute", "sampling.compute"},
                        {"--device", "parallel.device"}},
          .extra_flags = {}};
}

void require_settings(const SamplingConfig& sampling, const Schedule& schedule) {
  if (sampling.output.empty()) {
    throw ConfigError("sampling.output is not set. Give --output FOLDER.");
  }
  if (sampling.sampler == "ddpm" && sampling.eta != 0) {
    throw ConfigError(
        cat("sampling.eta is ", sampling.eta,
            ", but ddpm has no eta (its noise is fixed). Use ddim, or leave it out."));
  }
  if (sampling.steps > schedule.size()) {
    throw ConfigError(cat("sampling.steps is ", sampling.steps, ", but the model has ",
                          schedule.size(), " time steps. Give at most as many."));
  }
}

GenerationSettings settings_from(const Config& config) {
  const SamplingConfig& s = config.sampling;
  return {.sampler = {.kind = sampler_named(s.sampler), .steps = s.steps, .eta = s.eta},
          .guidance = s.guidance,
          .seed = static_cast<std::uint64_t>(s.seed),
          .tile_size = s.tile,
          .compute = s.compute};
}

/// The first images of the set as one picture, from their files.
void write_grid(const SampleSet& set, const GridLayout& layout, std::int64_t images) {
  const std::int64_t shown = std::min(images, layout.columns * kMaximumGridRows);
  std::vector<Image> cells;
  for (std::int64_t i = 0; i < shown; ++i) {
    const std::string bytes = read_file(image_file(set.folder(), i));
    cells.push_back(decode_image(std::as_bytes(std::span(bytes))));
  }
  write_grid_picture(set.folder() / "grid.png", cells, layout);
}

SampleSet make_set(const Config& config, const TrainedModelDescription& model,
                   const ClassPlan& classes) {
  const auto numbers = classes.classes();
  return SampleSet(config.sampling.output, {.sampling = config.sampling,
                                            .weights_sha256 = model.sha256,
                                            .weights_step = model.step,
                                            .classes = {numbers.begin(), numbers.end()},
                                            .class_names = model.class_names});
}

JobEnd generate(JobContext& context, Communicator& comm, at::Device device) {
  const Config& config = context.line.config;
  const SamplingConfig& sampling = config.sampling;
  const TrainedModel model = load_trained_model(comm, sampling, device);
  const Schedule schedule(model.diffusion);
  const ClassPlan classes =
      agree_value(comm, [&] { return ClassPlan(sampling.classes, model.class_names); });
  const SampleSet set = make_set(config, model, classes);
  agree(comm, [&] {
    require_settings(sampling, schedule);
    if (comm.rank() == 0) set.begin();
  });
  log::info("sampling ", human_count(static_cast<std::uint64_t>(sampling.number)), " images with ",
            sampling.sampler, ", ", sampling.steps, " steps, ",
            classes.conditional() ? cat("guidance ", sampling.guidance)
                                  : "no guidance (the model has no classes)",
            ", from step ", model.step, " of ", sampling.weights, " over ", comm.world_size(),
            comm.world_size() == 1 ? " rank" : " ranks");
  const TileGenerator generator(*model.network, schedule, classes, settings_from(config), device);
  comm.enter(CommSection::preview);
  const BulkEnd end = generate_in_bulk(
      generator, {set.folder(), sampling.number, sampling.tile, progress_style(comm.rank())}, comm,
      device);
  if (end == BulkEnd::stopped) {
    log::info("stopped; the same command completes the set");
    return {ExitCode::stopped, "asked to stop"};
  }
  agree(comm, [&] {
    if (comm.rank() != 0) return;
    write_grid(set, grid_layout(classes, model.class_names), sampling.number);
    set.complete();
  });
  log::info("images      ", (set.folder() / "images").string());
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
  const Config& config = line.config;
  choose_device(config.parallel, 0);
  const TrainedModelDescription model = describe_trained_model(config.sampling);
  require_settings(config.sampling, Schedule(model.diffusion));
  const ClassPlan classes(config.sampling.classes, model.class_names);
  make_set(config, model, classes).check();
  log::info("ok: ", human_count(static_cast<std::uint64_t>(config.sampling.number)),
            " images from step ", model.step, " of ", config.sampling.weights, " into ",
            config.sampling.output);
}

}  // namespace

Job sample_job() { return {sample_program(), &check_sampling, &run_sampling}; }

}  // namespace effuse
