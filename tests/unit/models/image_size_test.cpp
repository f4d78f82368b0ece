#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "unit/models/small_network.hpp"

namespace effuse {
namespace {

ModelConfig small(const std::string& name) {
  return name == "unet2d" ? small_network() : small_iddm_network(name);
}

class ImageSize : public testing::TestWithParam<const char*> {
 protected:
  /// What the network makes of images of height x width.
  static at::Tensor predict(std::int64_t height, std::int64_t width) {
    const at::NoGradGuard no_grad;
    const auto network = make_network(small(GetParam()));
    initialise_weights(*network, 1);
    network->eval();
    return network->forward(at::randn({2, 1, height, width}), at::zeros({2}, at::kLong),
                            at::zeros({2}, at::kLong));
  }
};

TEST_P(ImageSize, MayBeAnyMultipleOfTheFactor) {
  const std::int64_t factor = image_size_factor(small(GetParam()));
  const at::Tensor predicted = predict(3 * factor, 2 * factor);
  EXPECT_EQ(predicted.sizes(), (at::IntArrayRef{2, 1, 3 * factor, 2 * factor}));
  EXPECT_TRUE(predicted.isfinite().all().item<bool>());
}

TEST_P(ImageSize, MayBeNoneBetween) {
  const std::int64_t factor = image_size_factor(small(GetParam()));
  EXPECT_ANY_THROW(predict(2 * factor, 2 * factor + factor / 2));
}

INSTANTIATE_TEST_SUITE_P(Networks, ImageSize, testing::Values("unet2d", "unet", "cspdarkunet"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace effuse
