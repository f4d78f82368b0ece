#include "training/checkpoint_hook.hpp"

#include <utility>

#include "comm/agreement.hpp"
#include "training/replica_check.hpp"

namespace effuse {

CheckpointHook::CheckpointHook(Parts parts) : parts_(std::move(parts)) {}

void CheckpointHook::before_training(std::int64_t steps_done) {
  last_saved_ = steps_done;
  if (parts_.writer) parts_.writer->prepare(parts_.state);
}

bool CheckpointHook::looks_at_state(std::int64_t step) const {
  return parts_.every_steps > 0 && step % parts_.every_steps == 0;
}

void CheckpointHook::after_step(const StepReport& report) {
  // In a series of bad steps the weights may be the cause: they are not what to go back to.
  if (looks_at_state(report.step) && (report.good || report.overflowed())) save(report.step);
}

void CheckpointHook::after_training(std::int64_t steps_done, TrainingEnd end) {
  if (end != TrainingEnd::diverged && steps_done != last_saved_) save(steps_done);
  finish_writing();
}

void CheckpointHook::save(std::int64_t step) {
  const SectionScope section(parts_.comm, CommSection::save);
  check_replicas(parts_.state, parts_.comm, step);  // what differs from rank to rank is not saved
  RunState run_state = parts_.run_state;
  run_state.step = step;
  run_state.images_seen = step * parts_.batch_size;
  agree(parts_.comm, [&] {
    if (!parts_.writer) return;
    run_state.control = parts_.control();
    parts_.writer->save(parts_.state, run_state);
  });
  last_saved_ = step;
}

void CheckpointHook::finish_writing() {
  const SectionScope section(parts_.comm, CommSection::save);
  agree(parts_.comm, [&] {
    if (parts_.writer) parts_.writer->wait();
  });
}

}  // namespace effuse
