#include "training/checkpoint_hook.hpp"

#include <utility>

#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "training/stopwatch.hpp"

namespace effuse {
namespace {

std::uint64_t bytes_of(const NamedTensors& tensors) {
  std::uint64_t total = 0;
  for (const auto& [name, tensor] : tensors) total += tensor.nbytes();
  return total;
}

}  // namespace

CheckpointHook::CheckpointHook(Parts parts) : parts_(std::move(parts)) {}

void CheckpointHook::before_training(std::int64_t steps_done) { last_saved_ = steps_done; }

bool CheckpointHook::looks_at_state(std::int64_t step) const {
  const std::int64_t every = parts_.config.every_steps;
  return every > 0 && step % every == 0;
}

void CheckpointHook::after_step(const StepReport& report) {
  if (looks_at_state(report.step)) save(report.step);
}

void CheckpointHook::after_training(std::int64_t steps_done, TrainingEnd end) {
  if (end != TrainingEnd::diverged && steps_done != last_saved_) save(steps_done);
}

void CheckpointHook::save(std::int64_t step) {
  const SectionScope section(parts_.comm, CommSection::save);
  agree(parts_.comm, [&] {
    if (parts_.comm.rank() == 0) write(step);
  });
  last_saved_ = step;
}

void CheckpointHook::write(std::int64_t step) {
  Stopwatch watch;
  if (parts_.before_save) parts_.before_save();
  CheckpointContents contents{parts_.state.named_parameters(), parts_.state.named_average(),
                              parts_.state.named_moments(), parts_.run_state};
  contents.state.step = step;
  contents.state.images_seen = step * parts_.batch_size;
  contents.state.control = parts_.control();
  parts_.folder.save(contents);
  parts_.folder.retain(static_cast<int>(parts_.config.keep_last));
  const Saved saved{
      step, bytes_of(contents.model) + bytes_of(contents.ema) + bytes_of(contents.optimizer),
      watch.lap_s()};
  log::debug("checkpoint of step ", human_count(static_cast<std::uint64_t>(step)),
             " saved: ", human_bytes(saved.size_bytes), " in ", fixed(saved.seconds, 2), " s");
  if (parts_.on_save) parts_.on_save(saved);
}

}  // namespace effuse
