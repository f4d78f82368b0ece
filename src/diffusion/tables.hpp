#pragma once

#include <ATen/ATen.h>

namespace effuse {

/// table[t] as [N, 1, 1, 1] of the type of `like`. table: [T]; t: [N] int64.
inline at::Tensor look_up(const at::Tensor& table, const at::Tensor& t, const at::Tensor& like) {
  return table.index_select(0, t).to(like.scalar_type()).view({-1, 1, 1, 1});
}

}  // namespace effuse
