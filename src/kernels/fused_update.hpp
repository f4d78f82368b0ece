#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace effuse {

/// Where weight decay acts.
enum class Decay {
  weights,   ///< on the weights themselves, beside the step: AdamW (Loshchilov & Hutter 2019)
  gradient,  ///< as part of the gradient: L2 regularisation
};

struct AdamArguments {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  Decay decay = Decay::weights;
  std::int64_t step = 1;  ///< from 1, for the bias corrections
};

struct SgdArguments {
  double lr = 1e-3;
  double momentum = 0.0;
  double weight_decay = 0.0;  ///< part of the gradient
};

/// What the same pass over memory does before and after the optimiser's own arithmetic.
struct UpdateExtras {
  double grad_factor = 1.0;     ///< the gradients count times this: clipping, unscaling
  at::Tensor average = {};      ///< [P], of the parameters' type; undefined: none
  double average_weight = 0.0;  ///< average = lerp(average, new parameters, average_weight)
  at::Tensor copy = {};  ///< [P], bf16 or fp16: gets the new parameters, rounded to nearest even;
                         ///< or undefined
  bool clear_gradients = false;  ///< leaves zeros in the gradients
};

/// One step of Adam or AdamW over flat buffers in one pass over memory: the arithmetic of PyTorch's
/// fused kernels (bias corrections in fp64, the rest in the parameters' type), up to rounding.
///
/// All tensors are [P], contiguous, on the CPU; parameters, gradients and moments of one type, fp32
/// or fp64. Throws Error otherwise, before anything is changed. The result does not depend on the
/// number of threads; ranges of the buffers can be updated one after the other with the same
/// result. Autograd is not told of the change: no graph may be waiting for its backward pass.
void adam_update(const at::Tensor& parameters, const at::Tensor& gradients,
                 const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq,
                 const AdamArguments& arguments, const UpdateExtras& extras = {});

/// The same for SGD without dampening, and not Nesterov's. `momentum_buffer` starts as zeros; it is
/// undefined where momentum is 0.
void sgd_update(const at::Tensor& parameters, const at::Tensor& gradients,
                const at::Tensor& momentum_buffer, const SgdArguments& arguments,
                const UpdateExtras& extras = {});

}  // namespace effuse
