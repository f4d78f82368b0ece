#pragma once

#include "training/flat_state.hpp"

namespace effuse {

/// Global L2 norm of the gradients, in float64.
double gradient_norm(const FlatState& state);

/// Scales the gradients by max_norm / (norm + 1e-6) where that is below 1, as PyTorch's
/// clip_grad_norm_ does; `norm` is their present norm. max_norm 0: no limit.
void clip_gradients(const FlatState& state, double norm, double max_norm);

}  // namespace effuse
