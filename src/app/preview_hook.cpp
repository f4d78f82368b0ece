#include "app/preview_hook.hpp"

#include <algorithm>
#include <utility>

#include "app/grid_picture.hpp"
#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "generation/gather.hpp"
#include "models/precision.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kTile = 10;

std::vector<std::string> all_classes() { return {"all"}; }

}  // namespace

PreviewHook::PreviewHook(Parts parts)
    : parts_(std::move(parts)), classes_(all_classes(), parts_.class_names) {}

void PreviewHook::before_training(std::int64_t steps_done) {
  last_step_ = steps_done;
  if (steps_done == 0) preview(0);
}

bool PreviewHook::looks_at_state(std::int64_t step) const {
  const std::int64_t every = parts_.config.preview.every_steps;
  return every > 0 && step % every == 0;
}

void PreviewHook::after_step(const StepReport& report) {
  if (looks_at_state(report.step)) preview(report.step);
}

void PreviewHook::after_training(std::int64_t steps_done, TrainingEnd end) {
  if (end == TrainingEnd::finished && steps_done != last_step_) preview(steps_done);
}

void PreviewHook::preview(std::int64_t step) {
  if (parts_.config.preview.every_steps == 0) return;
  const SectionScope section(parts_.comm, CommSection::preview);
  const GridLayout layout = grid_layout(classes_, parts_.class_names);
  const at::Tensor images = generate(layout.columns * parts_.config.preview.per_class);
  if (!images.defined()) return;
  if (parts_.comm.rank() == 0) write_grid(step, images, layout);
  last_step_ = step;
}

at::Tensor PreviewHook::generate(std::int64_t images) {
  const AveragedWeights averaged(parts_.state);
  const PreviewConfig& preview = parts_.config.preview;
  const GenerationSettings settings{
      .sampler = {.kind = SamplerKind::ddim,
                  .steps = preview.steps,
                  .prediction = prediction_named(parts_.config.diffusion.prediction)},
      .guidance = preview.guidance,
      .tile_size = kTile,
      .height = parts_.config.model.sample_size,
      .width = parts_.config.model.sample_size,
      .compute = autocast_compute(parts_.config.precision)};
  const SeededNoise noise(static_cast<std::uint64_t>(parts_.config.run.seed));
  const TileGenerator generator(parts_.network, parts_.schedule, classes_, noise, settings,
                                parts_.device);
  return generate_together(generator, images, kTile, parts_.comm, parts_.device);
}

void PreviewHook::write_grid(std::int64_t step, const at::Tensor& images,
                             const GridLayout& layout) const {
  const std::filesystem::path file = parts_.folder.preview(step);
  try {
    write_grid_picture(file, images, layout);
    log::debug("preview: ", file.string());
  } catch (const std::exception& error) {
    log::warning("no preview of step ", step, ": ", error.what(),
                 ". Training goes on: a picture is not worth its steps.");
  }
}

}  // namespace effuse
