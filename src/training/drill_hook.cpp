#include "training/drill_hook.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Flips a bit of the largest weight, high enough in its mantissa to outlast the next update.
void flip_weight(const FlatState& state) {
  const at::NoGradGuard no_grad;
  const at::Tensor weights = state.parameters();
  const std::int64_t largest = weights.abs().argmax().item<std::int64_t>();
  const bool wide = weights.element_size() == 8;
  const at::Tensor bits = weights.view(wide ? at::kLong : at::kInt);
  bits[largest].bitwise_xor_(std::int64_t{1} << (wide ? 50 : 20));
}

}  // namespace

void require_drill(const DrillConfig& drill, int world_size) {
  if (drill.fault == "none" || drill.rank < world_size) return;
  throw ConfigError(cat("drill.rank is ", drill.rank, ", but the ranks are 0 to ", world_size - 1,
                        " (nothing would happen). Give one of them, or more ranks."));
}

void warn_of_drill(const DrillConfig& drill) {
  if (drill.fault == "none") return;
  log::warning("a drill is on: ", drill.fault, " at rank ", drill.rank, " in step ", drill.step,
               ", on purpose. Without drill.fault the same command trains as ever.");
}

DrillHook::DrillHook(const Drill& drill, const FlatState& state, Communicator& comm)
    : drill_(drill), state_(state), comm_(comm) {}

void DrillHook::before_step(std::int64_t step) {
  if (drill_.due_since("slow", step)) {
    std::this_thread::sleep_for(std::chrono::duration<double>(drill_.config().seconds));
  }
  if (drill_.due("flip_weight", step)) flip_weight(state_);
  if (drill_.due("skip_reduction", step)) comm_.leave_out_next_reduction();
  if (drill_.due("kill", step)) std::raise(SIGKILL);
  if (drill_.due("segfault", step)) std::raise(SIGSEGV);
  if (drill_.due("stop", step)) std::raise(SIGSTOP);
}

}  // namespace effuse
