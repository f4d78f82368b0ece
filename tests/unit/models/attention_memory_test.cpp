#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "golden/golden.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

/// Attention at the full resolution must not hold its (HW)^2 weights. A program of its own: a
/// process's peak memory never sinks.
namespace effuse {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

/// The most resident memory this process had so far.
std::int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  throw std::runtime_error("/proc/self/status has no VmHWM");
}

std::shared_ptr<Network> narrow_unet(std::int64_t size) {
  ModelConfig config;
  config.name = "unet";
  config.sample_size = size;
  config.in_channels = 1;
  config.num_class_embeds = 0;
  config.channels = {4, 4, 4, 4};
  auto network = make_network(config);
  initialise_weights(*network, 1);
  return network;
}

at::Tensor predict(Network& network, std::int64_t size) {
  return network.forward(golden::images({1, 1, size, size}).to(at::kFloat),
                         at::tensor({500}, at::kLong), at::Tensor());
}

TEST(AttentionMemory, OfTrainingAt128IsSmall) {
  const auto network = narrow_unet(128);
  const std::int64_t before = peak_bytes();
  predict(*network, 128).square().mean().backward();
  // Four heads' weights of attention alone would be 4 * (128 * 128)^2 floats, 4 GiB.
  EXPECT_LT(peak_bytes() - before, kGiB / 2);
}

TEST(AttentionMemory, OfPredictionAt256IsSmall) {
  const auto network = narrow_unet(256);
  const std::int64_t before = peak_bytes();
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(predict(*network, 256).isfinite().all().item<bool>());
  // 4 * (256 * 256)^2 floats would be 64 GiB.
  EXPECT_LT(peak_bytes() - before, kGiB / 2);
}

}  // namespace
}  // namespace effuse
