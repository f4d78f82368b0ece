#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/safetensors.hpp"
#include "diffusion/sampler.hpp"
#include "golden/golden.hpp"
#include "golden/iddm_machine.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

/// What IDDM's own samplers answer (tests/golden/README.md): network, noise and labels follow
/// closed formulas, the results are in golden/iddm/sampler_fixtures.safetensors.
namespace effuse {
namespace {

constexpr std::array<std::int64_t, 4> kShape{2, 3, 16, 16};

std::map<std::string, at::Tensor> fixtures() {
  const auto file = std::filesystem::path(__FILE__).parent_path() / "../../golden/iddm" /
                    "sampler_fixtures.safetensors";
  const NamedTensors tensors = read_safetensors(file).tensors;
  return {tensors.begin(), tensors.end()};
}

std::shared_ptr<Network> iddm_unet() {
  ModelConfig config;
  config.name = "unet";
  config.act_fn = "gelu";
  config.in_channels = 3;
  config.sample_size = 16;
  config.num_class_embeds = 11;
  auto network = make_network(config);
  NamedTensors weights = named_weights(*network);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    auto& [name, tensor] = weights[j];
    // As golden::weight(), but with biases around 0.
    const double mean =
        tensor.dim() == 1 && (getenv("ALL") || name.ends_with("weight")) ? 1.0 : 0.0;
    tensor = golden::wave(tensor.sizes(), 0.05, 0.37, static_cast<double>(j)) + mean;
  }
  load_weights(*network, weights);
  network->eval();
  network->use_kernels(Kernels::iddm);
  return network;
}

class IddmSamplers : public testing::Test {
 protected:
  at::Tensor run(SamplerKind kind, std::int64_t steps, const DiffusionConfig& diffusion,
                 double guidance) {
    const NoiseModel model = [this](const at::Tensor& x, const at::Tensor& t, const at::Tensor& y) {
      return network_->forward(x, t, y);
    };
    SamplerSettings settings;
    settings.kind = kind;
    settings.steps = steps;
    settings.convention = Convention::iddm;
    const Denoiser denoiser = guided(model, at::tensor({3, 8}, at::kLong), network_->null_class(),
                                     guidance, GuidanceBatch::separate);
    const StepNoise noise = [](std::int64_t k) {
      return golden::wave(kShape, 0.3, 0.31, 0.17 * static_cast<double>(k));
    };
    return sample(settings, Schedule(diffusion), denoiser, fixtures_.at("noise"), noise);
  }

  void SetUp() override {
    if (!golden::rounds_like_the_recording()) {
      GTEST_SKIP() << "this processor rounds otherwise than the one that recorded IDDM's images; "
                      "the arithmetic is tested in sampler_test.cpp";
    }
    golden::use_threads_of_the_recording();
  }

  void expect_fixture(const std::string& name, const at::Tensor& images) const {
    std::cerr << name << " " << golden::relative_error(images, fixtures_.at(name)) << "\n";
    EXPECT_LE(golden::relative_error(images, fixtures_.at(name)), 1e-4) << name;
  }

  const at::NoGradGuard no_grad_;
  std::map<std::string, at::Tensor> fixtures_ = fixtures();
  std::shared_ptr<Network> network_ = iddm_unet();
};

class IddmSchedules : public IddmSamplers, public testing::WithParamInterface<const char*> {
 protected:
  DiffusionConfig diffusion() const {
    DiffusionConfig config;
    config.schedule = GetParam();
    return config;
  }
};

TEST_P(IddmSchedules, DdimAndPlmsAreRepeated) {
  for (const std::int64_t steps : {10, 20, 50}) {
    const std::string suffix = std::to_string(steps) + "_" + GetParam();
    expect_fixture("ddim" + suffix, run(SamplerKind::ddim, steps, diffusion(), 1.0));
    expect_fixture("plms" + suffix, run(SamplerKind::plms, steps, diffusion(), 1.0));
  }
}

TEST_P(IddmSchedules, GuidanceIsRepeated) {
  const std::string suffix = std::string("20_cfg3_") + GetParam();
  expect_fixture("ddim" + suffix, run(SamplerKind::ddim, 20, diffusion(), 3.0));
  expect_fixture("plms" + suffix, run(SamplerKind::plms, 20, diffusion(), 3.0));
}

INSTANTIATE_TEST_SUITE_P(All, IddmSchedules, testing::Values("linear", "cosine"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(IddmSamplers, DdpmIsRepeated) {
  DiffusionConfig diffusion;
  diffusion.timesteps = 20;
  expect_fixture("ddpm_T20_linear", run(SamplerKind::ddpm, 20, diffusion, 1.0));
}

}  // namespace
}  // namespace effuse
