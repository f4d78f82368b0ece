#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "diffusion/denoiser.hpp"
#include "diffusion/sampler_settings.hpp"
#include "diffusion/schedule.hpp"
#include "diffusion/update_rule.hpp"

namespace effuse {

/// Asked before each step, on the calling thread; true ends the sampling.
using StopWanted = std::function<bool()>;

/// Images from noise. x_t: [N, C, H, W] fp32 or fp64, the noise at the first time step; the result
/// has its shape, type and device, with values near [-1, 1] (see to_uint8). All arithmetic but the
/// denoiser's is in that type; no gradients are recorded. In fp32 the conventions iddm and
/// diffusers use the tables that these compute in fp32. Returns an undefined tensor where
/// `stop_wanted` ended it. Throws ConfigError for impossible settings.
at::Tensor sample(const SamplerSettings& settings, const Schedule& schedule,
                  const Denoiser& denoiser, at::Tensor x_t, const StepNoise& step_noise,
                  const StopWanted& stop_wanted = {});

}  // namespace effuse
