#include "training/checkpoint_writer.hpp"

#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "core/log.hpp"
#include "training/stopwatch.hpp"

namespace effuse {
namespace {

std::uint64_t bytes_of(const NamedTensors& tensors) {
  std::uint64_t total = 0;
  for (const auto& [name, tensor] : tensors) total += tensor.nbytes();
  return total;
}

std::string count(std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); }

}  // namespace

CheckpointWriter::CheckpointWriter(Parts parts) : parts_(std::move(parts)) {}

CheckpointWriter::~CheckpointWriter() {
  try {
    wait();
  } catch (const std::exception& error) {
    log::error(error.what());
  }
}

void CheckpointWriter::prepare(const FlatState& state) { snapshot_.take(state, {}); }

void CheckpointWriter::save(const FlatState& state, const RunState& run_state) {
  Stopwatch watch;
  if (is_writing()) {
    log::debug("checkpoint of step ", count(run_state.step),
               ": the one before is still being written; training waits for it");
  }
  wait();
  snapshot_.take(state, run_state);
  writing_ = std::async(std::launch::async, [this] { write(); });
  if (!parts_.config.background) wait();
  const double stall_s = watch.lap_s();
  log::debug("checkpoint of step ", count(run_state.step), ": training stood still for ",
             fixed(stall_s, 4), " s");
  if (parts_.metrics) parts_.metrics->stalled(stall_s);
}

void CheckpointWriter::wait() {
  if (writing_.valid()) writing_.get();
}

bool CheckpointWriter::is_writing() const {
  return writing_.valid() &&
         writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void CheckpointWriter::write() {
  Stopwatch watch;
  snapshot_.wait();
  require_finite(snapshot_.contents());
  try {
    write_once();
  } catch (const std::exception& error) {
    log::warning("a checkpoint could not be saved, which is tried once more: ", error.what());
    std::this_thread::sleep_for(std::chrono::duration<double>(parts_.retry_after_s));
    write_once();
  }
  const CheckpointContents& saved = snapshot_.contents();
  const std::uint64_t size_bytes =
      bytes_of(saved.model) + bytes_of(saved.ema) + bytes_of(saved.optimizer);
  const double write_s = watch.lap_s();
  log::debug("checkpoint of step ", count(saved.state.step), " saved: ", human_bytes(size_bytes),
             " in ", fixed(write_s, 2), " s");
  if (parts_.metrics) parts_.metrics->saved(saved.state.step, size_bytes, write_s);
  if (parts_.after_save) parts_.after_save();
}

void CheckpointWriter::write_once() {
  try {
    const CheckpointContents& contents = snapshot_.contents();
    if (parts_.before_save) parts_.before_save(contents.state.step);
    parts_.folder.save(contents);
    parts_.folder.retain(parts_.config.keep_last, parts_.config.keep_every_steps);
  } catch (...) {
    if (parts_.metrics) parts_.metrics->failed();
    throw;
  }
}

}  // namespace effuse
