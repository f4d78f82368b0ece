#pragma once

#include "diffusion/denoiser.hpp"

namespace effuse {

/// `model` for a GPU, its work recorded as a CUDA graph at the first call and replayed at later
/// ones, which launches hundreds of kernels at once: for steps that the host cannot launch as fast
/// as the GPU makes them. All calls have equal shapes; the weights stay where they are. Where the
/// work cannot be recorded it is said in the log, and done without. A build without CUDA returns
/// `model`.
NoiseModel recorded(NoiseModel model);

}  // namespace effuse
