#include <ATen/ATen.h>
#include <torch/optim/adamw.h>

#include <vector>

#include "compare.hpp"
#include "kernels/fused_update.hpp"
#include "sections.hpp"

namespace effuse::benchmark {
namespace {

constexpr std::int64_t kParameters = 12'000'000;

struct Buffers {
  at::Tensor p = at::randn({kParameters});
  at::Tensor g = at::randn({kParameters});
  at::Tensor m = at::zeros({kParameters});
  at::Tensor v = at::zeros({kParameters});
  at::Tensor average = p.clone();
};

}  // namespace

void compare_optimisers() {
  Buffers ours, theirs;
  const at::Tensor copy = at::empty({kParameters}, at::kBFloat16);
  const AdamArguments arguments{.weight_decay = 0.01, .step = 10};
  const at::Tensor step = at::full({}, 10.0);
  const auto plain = [&] { adam_update(ours.p, ours.g, ours.m, ours.v, arguments); };
  const auto fused_adamw = [&] {
    at::_fused_adamw_({theirs.p}, {theirs.g}, {theirs.m}, {theirs.v}, {}, {step}, arguments.lr,
                      arguments.beta1, arguments.beta2, arguments.weight_decay, arguments.eps,
                      false, false, std::nullopt, std::nullopt);
  };
  // As a network has them: some hundred tensors.
  std::vector<at::Tensor> weights;
  for (const at::Tensor& part : at::randn({kParameters}).chunk(200)) {
    weights.push_back(part.clone().set_requires_grad(true));
    weights.back().mutable_grad() = at::randn_like(part);
  }
  torch::optim::AdamW adamw(weights, torch::optim::AdamWOptions(1e-3));
  compare("AdamW: torch::optim::AdamW", plain, [&] { adamw.step(); });
  compare("AdamW: at::_fused_adamw_", plain, fused_adamw);
  const auto everything = [&](const at::Tensor& half) {
    adam_update(ours.p, ours.g, ours.m, ours.v, arguments,
                {.grad_factor = 0.999,
                 .average = ours.average,
                 .average_weight = 0.001,
                 .copy = half,
                 .clear_gradients = true});
  };
  const auto passes = [&] {
    theirs.g.mul_(0.999);
    fused_adamw();
    theirs.average.lerp_(theirs.p, 0.001);
    theirs.g.zero_();
  };
  compare(
      "AdamW, factor, average, zeros: ATen's passes", [&] { everything({}); }, passes);
  compare(
      "the same and a bf16 copy: ATen's passes", [&] { everything(copy); },
      [&] {
        passes();
        copy.copy_(theirs.p);
      });
}

}  // namespace effuse::benchmark
