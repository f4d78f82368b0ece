#include <ATen/ATen.h>

#include <iostream>

#include "diffusion/sampler.hpp"
#include "support/gaussian_mixture.hpp"

/// sampler_order: root-mean-square errors of the deterministic samplers on a Gaussian mixture,
/// whose exact score is known, against a solution in 32,768 steps. Prints CSV: steps taken (equal
/// steps of lambda, or the linear schedule with spacing linspace), sampler, number of steps, error.
/// plot_sampler_order.py draws docs/images/sampler-order.png from it.
namespace effuse {
namespace {

using testing_support::equal_lambda_levels;

constexpr std::int64_t kFine = 32768;
const testing_support::GaussianMixture kMixture;
const std::pair<SamplerKind, const char*> kSamplers[] = {
    {SamplerKind::ddim, "ddim"}, {SamplerKind::plms, "plms"}, {SamplerKind::dpmpp_2m, "dpmpp_2m"}};

SamplerSettings unclipped(SamplerKind kind) {
  SamplerSettings settings;
  settings.kind = kind;
  settings.clip = Clip::no;
  return settings;
}

at::Tensor solve(SamplerKind kind, double first, double last, std::int64_t intervals,
                 const at::Tensor& x) {
  return testing_support::solve(unclipped(kind), kMixture,
                                equal_lambda_levels(first, last, intervals), x);
}

void print(const char* steps, const char* sampler, std::int64_t intervals, double error) {
  std::cout << steps << ',' << sampler << ',' << intervals << ',' << error << '\n';
}

void run() {
  const Schedule schedule{DiffusionConfig{}};
  const double first = schedule.alpha_bar(999);
  const double last = schedule.alpha_bar(0);
  const at::Tensor noise = at::linspace(-2.5, 2.5, 512, at::kDouble).view({1, 1, 16, 32});
  const at::Tensor fine = solve(SamplerKind::dpmpp_2m, first, last, kFine, noise);
  for (const auto& [kind, name] : kSamplers) {
    for (std::int64_t intervals = 8; intervals <= 1024; intervals *= 2) {
      const at::Tensor x = solve(kind, first, last, intervals, noise);
      print("lambda", name, intervals, testing_support::rms_error(x, fine));
    }
  }
  const at::Tensor sigma_noise = std::sqrt(1 - last) * kMixture.noise(fine, last);
  const at::Tensor fine_image = (fine - sigma_noise) / std::sqrt(last);
  const Denoiser exact = [&](const at::Tensor& x, std::int64_t t) {
    return kMixture.noise(x, schedule.alpha_bar(t));
  };
  for (const auto& [kind, name] : kSamplers) {
    for (const std::int64_t intervals : {9, 27, 37, 111, 333, 999}) {
      SamplerSettings settings = unclipped(kind);
      settings.steps = intervals + 1;
      const at::Tensor x = sample(settings, schedule, exact, noise, {});
      print("linspace", name, intervals + 1, testing_support::rms_error(x, fine_image));
    }
  }
}

}  // namespace
}  // namespace effuse

int main() {
  std::cout << "steps_in,sampler,steps,error\n";
  effuse::run();
}
