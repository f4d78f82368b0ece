#include "training/restore.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <string>
#include <string_view>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Copies tensors into views of the same names and shapes; returns what does not fit, a line each.
std::string copy_by_name(const NamedTensors& views, const NamedTensors& tensors,
                         std::string_view what) {
  std::map<std::string, at::Tensor> left(tensors.begin(), tensors.end());
  std::string problems;
  for (const auto& [name, view] : views) {
    const auto found = left.find(name);
    if (found == left.end()) {
      problems += cat("\n  ", what, ": ", name, " is missing");
      continue;
    }
    if (found->second.sizes() == view.sizes()) {
      at::Tensor(view).copy_(found->second);
    } else {
      problems += cat("\n  ", what, ": ", name, " has shape ", found->second.sizes(),
                      ", the model needs ", view.sizes());
    }
    left.erase(found);
  }
  for (const auto& [name, tensor] : left) {
    problems += cat("\n  ", what, ": ", name, " is not part of the model");
  }
  return problems;
}

void copy_checkpoint(FlatState& state, const CheckpointContents& contents) {
  const at::NoGradGuard no_grad;
  const std::string problems =
      copy_by_name(state.named_parameters(), contents.model, "model.safetensors") +
      copy_by_name(state.named_average(), contents.ema, "ema.safetensors") +
      copy_by_name(state.named_moments(), contents.optimizer, "optimizer.safetensors");
  if (!problems.empty()) {
    throw CheckpointError(
        cat("the checkpoint of step ", contents.state.step,
            " does not fit the model and optimiser of this configuration:", problems));
  }
}

}  // namespace

void restore(FlatState& state, Communicator& comm,
             const std::optional<CheckpointContents>& contents_at_rank_0) {
  agree(comm, [&] {
    if (contents_at_rank_0) copy_checkpoint(state, *contents_at_rank_0);
  });
  for (const at::Tensor& tensor : state.everything()) comm.broadcast(tensor, 0);
  state.publish();
}

}  // namespace effuse
