#include "models/embeddings.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace effuse {

at::Tensor sinusoids(const at::Tensor& t, const SinusoidOptions& options) {
  const std::int64_t half = options.size / 2;
  const auto fp32 = t.options().dtype(at::kFloat);
  // The order of these operations is that of diffusers' get_timestep_embedding, to the last bit.
  const at::Tensor exponent = -std::log(10000.0) * at::arange(half, fp32) /
                              (static_cast<double>(half) - options.freq_shift);
  const at::Tensor angles = t.to(at::kFloat).unsqueeze(1) * exponent.exp().unsqueeze(0);
  const at::Tensor sines = angles.sin();
  const at::Tensor cosines = angles.cos();
  at::Tensor embedding =
      options.flip_sin_to_cos ? at::cat({cosines, sines}, 1) : at::cat({sines, cosines}, 1);
  if (options.size % 2 == 1) embedding = at::constant_pad_nd(embedding, {0, 1});
  return embedding;
}

TimeEmbedding::TimeEmbedding(std::int64_t sinusoid_size, std::int64_t embedding_size)
    : linear_1_(register_module("linear_1", torch::nn::Linear(sinusoid_size, embedding_size))),
      linear_2_(register_module("linear_2", torch::nn::Linear(embedding_size, embedding_size))) {}

at::Tensor TimeEmbedding::forward(const at::Tensor& sinusoid) {
  return linear_2_(at::silu(linear_1_(sinusoid)));
}

}  // namespace effuse
