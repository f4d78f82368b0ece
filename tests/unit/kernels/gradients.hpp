#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace effuse {

using Tensors = std::vector<at::Tensor>;

/// The result of operate(inputs), and the gradients of the inputs, given that of the result.
template <class Operate>
Tensors result_and_gradients(const Tensors& inputs, const at::Tensor& gradient,
                             const Operate& operate) {
  Tensors leaves;
  for (const at::Tensor& x : inputs) leaves.push_back(x.detach().set_requires_grad(true));
  Tensors results{operate(leaves)};
  const Tensors gradients = torch::autograd::grad(results, leaves, {gradient});
  results.insert(results.end(), gradients.begin(), gradients.end());
  return results;
}

inline Tensors in_fp64(const Tensors& tensors) {
  Tensors wide;
  for (const at::Tensor& x : tensors) wide.push_back(x.to(at::kDouble));
  return wide;
}

/// ‖a − b‖ / ‖b‖, where b may be as small as what rounding leaves of a difference of numbers
/// near 1.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const double least = 0.05 * std::sqrt(static_cast<double>(b.numel()));
  return (a.to(at::kDouble) - b).norm().item<double>() / std::max(b.norm().item<double>(), least);
}

inline void expect_equal(const Tensors& a, const Tensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << i;
}

}  // namespace effuse
