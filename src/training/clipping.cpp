#include "training/clipping.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace effuse {

double gradient_norm(const FlatState& state) {
  const at::NoGradGuard no_grad;
  return at::linalg_vector_norm(state.gradients(), 2, std::nullopt, false, at::kDouble)
      .item<double>();
}

void clip_gradients(const FlatState& state, double norm, double max_norm) {
  if (max_norm <= 0.0) return;
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1.0) at::Tensor(state.gradients()).mul_(factor);
}

}  // namespace effuse
