#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>

namespace effuse {

/// How a time step becomes sinusoids.
struct SinusoidOptions {
  std::int64_t size = 0;        ///< elements of the embedding
  bool flip_sin_to_cos = true;  ///< cosines before sines
  double freq_shift = 0.0;      ///< shifts the divisor of the frequencies' exponent
};

/// Sinusoidal embedding of time steps (Ho et al. 2020, after Vaswani et al. 2017): [N] to [N,
/// size], fp32. Frequencies are 10000^(-i / (size/2 - freq_shift)); an odd size ends with a zero.
at::Tensor sinusoids(const at::Tensor& t, const SinusoidOptions& options);

/// Two linear layers with a SiLU between: [N, sinusoid_size] to [N, embedding_size].
class TimeEmbedding : public torch::nn::Module {
 public:
  TimeEmbedding(std::int64_t sinusoid_size, std::int64_t embedding_size);

  at::Tensor forward(const at::Tensor& sinusoid);

  /// The type of the weights.
  at::ScalarType scalar_type() const { return linear_1_->weight.scalar_type(); }

 private:
  torch::nn::Linear linear_1_, linear_2_;
};

}  // namespace effuse
