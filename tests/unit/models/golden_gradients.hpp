#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "golden/golden.hpp"
#include "models/network.hpp"

namespace effuse {

/// Expects the gradients of all trained weights together to have the norm and the projection that
/// `json` holds, to within `tolerance` of the norm.
inline void expect_gradients(const Network& network, const nlohmann::json& json, double tolerance) {
  double square = 0.0;
  double projection = 0.0;
  double number = 0.0;
  for (const at::Tensor& parameter : network.parameters()) {
    if (!parameter.requires_grad()) continue;
    const at::Tensor gradient = parameter.grad();
    square += gradient.square().sum().item<double>();
    projection +=
        (gradient * golden::wave(gradient.sizes(), 1.0, 0.71, number++)).sum().item<double>();
  }
  const auto norm = json.at("gradient_norm").get<double>();
  EXPECT_NEAR(std::sqrt(square), norm, tolerance * norm);
  EXPECT_NEAR(projection, json.at("gradient_projection").get<double>(), tolerance * norm);
}

}  // namespace effuse
