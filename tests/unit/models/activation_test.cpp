#include "models/activation.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "golden/golden.hpp"
#include "models/factory.hpp"
#include "models/iddm_unet_blocks.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

double at_point(Activation activation, double x) {
  return activation(at::full({1}, x, at::kDouble)).item<double>();
}

TEST(Activation, ComputesWhatItsNameSays) {
  EXPECT_DOUBLE_EQ(at_point(iddm_activation("relu6").layer, 7.0), 6.0);
  EXPECT_DOUBLE_EQ(at_point(iddm_activation("relu6").layer, -7.0), 0.0);
  EXPECT_DOUBLE_EQ(at_point(iddm_activation("relu").layer, 7.0), 7.0);
  EXPECT_DOUBLE_EQ(at_point(iddm_activation("lrelu").layer, -3.0), -0.03);
  EXPECT_DOUBLE_EQ(at_point(iddm_activation("silu").layer, 2.0), 2.0 / (1.0 + std::exp(-2.0)));
  const double gelu = 0.7 * 0.5 * (1.0 + std::erf(0.7 / std::sqrt(2.0)));
  EXPECT_DOUBLE_EQ(at_point(iddm_activation("gelu").layer, 0.7), gelu);
  EXPECT_DOUBLE_EQ(at_point(diffusers_activation("gelu"), 0.7), gelu);
}

TEST(Activation, IsTheSameInAllPlacesButForIddmsMixture) {
  for (const char* name : {"gelu", "silu", "relu", "relu6", "lrelu"}) {
    EXPECT_EQ(iddm_activation(name).layer, iddm_activation(name).after_residual) << name;
  }
  EXPECT_EQ(iddm_activation("iddm_lrelu").layer, iddm_activation("silu").layer);
  EXPECT_EQ(iddm_activation("iddm_lrelu").after_residual, iddm_activation("lrelu").layer);
}

/// What a pair of convolutions of fixed weights makes of fixed images.
at::Tensor run_pair(const char* activation, Residual residual) {
  ConvPair pair({4, 4, 4}, iddm_activation(activation), residual);
  NamedTensors weights = named_weights(pair);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    weights[j].second = golden::weight(weights[j].second.sizes(), j);
  }
  load_weights(pair, weights);
  const at::NoGradGuard no_grad;
  return pair.forward(golden::images({2, 4, 6, 6}).to(at::kFloat));
}

TEST(ConvPair, ActivatesBetweenItsConvolutionsAndAfterAResidualSumAlone) {
  const at::Tensor x = golden::images({2, 4, 6, 6}).to(at::kFloat);
  for (const char* name : {"gelu", "silu", "relu", "relu6", "lrelu", "iddm_lrelu"}) {
    const at::Tensor plain = run_pair(name, Residual::no);
    EXPECT_LT(plain.min().item<double>(), -0.5) << name << ": nothing follows the last norm";
    EXPECT_TRUE(
        at::equal(run_pair(name, Residual::yes), iddm_activation(name).after_residual(x + plain)))
        << name;
  }
  EXPECT_TRUE(at::equal(run_pair("iddm_lrelu", Residual::no), run_pair("silu", Residual::no)));
  EXPECT_FALSE(at::equal(run_pair("lrelu", Residual::no), run_pair("silu", Residual::no)));
}

at::Tensor predict(const char* name, const char* activation) {
  ModelConfig config = small_iddm_network(name);
  config.act_fn = activation;
  const auto network = make_network(config);
  initialise_weights(*network, 1);
  const at::NoGradGuard no_grad;
  return network->forward(golden::images({2, 1, 16, 16}).to(at::kFloat),
                          at::tensor({10, 900}, at::kLong), at::tensor({0, 3}, at::kLong));
}

TEST(Activation, ChangesThePredictionOfIddmsNetworks) {
  for (const char* network : {"unet", "cspdarkunet"}) {
    const at::Tensor silu = predict(network, "silu");
    for (const char* activation : {"gelu", "relu", "lrelu"}) {
      EXPECT_GT(golden::relative_error(predict(network, activation), silu), 1e-3)
          << network << ' ' << activation;
    }
  }
}

TEST(Activation, OfIddmsMixtureIsNeitherInUnetAndSiluInCspdarkunet) {
  const at::Tensor mixed = predict("unet", "iddm_lrelu");
  EXPECT_GT(golden::relative_error(predict("unet", "lrelu"), mixed), 1e-3);
  EXPECT_GT(golden::relative_error(predict("unet", "silu"), mixed), 1e-3);
  // cspdarkunet has no residual pairs.
  EXPECT_TRUE(at::equal(predict("cspdarkunet", "iddm_lrelu"), predict("cspdarkunet", "silu")));
  EXPECT_FALSE(at::equal(predict("cspdarkunet", "lrelu"), predict("cspdarkunet", "silu")));
}

}  // namespace
}  // namespace effuse
