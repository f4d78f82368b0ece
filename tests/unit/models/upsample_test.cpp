#include "models/upsample.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace effuse {
namespace {

/// The result and the gradient of its product with fixed numbers.
template <class Upsample>
std::pair<at::Tensor, at::Tensor> results(const at::Tensor& image, Upsample upsample) {
  const at::Tensor x = image.detach().clone().requires_grad_();
  const at::Tensor y = upsample(x);
  (y * at::arange(y.numel(), y.options()).view(y.sizes())).sum().backward();
  return {y.detach(), x.grad()};
}

TEST(UpsampleBilinear, by_products_is_that_of_libtorch) {
  at::manual_seed(1);
  const std::vector<std::vector<std::int64_t>> shapes = {{2, 3, 4, 7}, {1, 2, 1, 5}, {1, 1, 8, 8}};
  for (const auto& shape : shapes) {
    const at::Tensor image = at::randn(shape, at::kDouble);
    const auto [value, gradient] = results(image, &upsample_bilinear_by_products);
    const auto [expected, expected_gradient] = results(image, &upsample_bilinear);
    EXPECT_EQ(value.sizes(), expected.sizes());
    EXPECT_LE((value - expected).norm().item<double>(), 1e-14 * expected.norm().item<double>());
    EXPECT_LE((gradient - expected_gradient).norm().item<double>(),
              1e-14 * expected_gradient.norm().item<double>());
  }
}

TEST(UpsampleBilinear, by_products_keeps_the_type) {
  EXPECT_EQ(upsample_bilinear_by_products(at::ones({1, 1, 2, 2}, at::kBFloat16)).scalar_type(),
            at::kBFloat16);
}

}  // namespace
}  // namespace effuse
