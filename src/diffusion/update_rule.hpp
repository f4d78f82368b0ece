#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "diffusion/denoiser.hpp"
#include "diffusion/step_plan.hpp"

namespace effuse {

/// Standard normal noise of the batch's shape to be added after step `step` (0, 1 …). Called only
/// where noise is added, so it may be empty for a deterministic sampler.
using StepNoise = std::function<at::Tensor(std::int64_t step)>;

/// The update rule of one sampler for one batch; rules that look back keep their history here.
class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  /// x at the level where the step ends, from x at that where it begins. x: [N, C, H, W] fp32 or
  /// fp64, and so is the result.
  virtual at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                             const StepNoise& noise) = 0;
};

std::unique_ptr<UpdateRule> make_update_rule(const SamplerSettings& settings);

}  // namespace effuse
