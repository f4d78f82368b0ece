#pragma once

#include <ATen/core/grad_mode.h>

#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

/// For backward passes of our kernels: throws Error where autograd is to differentiate the pass
/// itself. `what` the kernels compute, which `instead` can do.
inline void refuse_second_derivative(std::string_view what, std::string_view instead) {
  if (!at::GradMode::is_enabled()) return;
  throw Error(cat("a second derivative of ", what,
                  " was asked for (its kernels have a first one alone). Use ", instead, " there."));
}

}  // namespace effuse
