#pragma once

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "config/config.hpp"
#include "models/network.hpp"

namespace effuse {

/// Elements of the embedding of time and class in all networks of IDDM.
inline constexpr std::int64_t kIddmEmbeddingSize = 256;

/// For modules whose arithmetic differs between Kernels.
class ChoosesKernels {
 public:
  virtual ~ChoosesKernels() = default;

  void use(Kernels kernels) { kernels_ = kernels; }

 protected:
  Kernels kernels() const { return kernels_; }

 private:
  Kernels kernels_ = Kernels::fused;
};

/// What the U-Nets of IDDM (chairc/Integrated-Design-Diffusion-Model) have in common: the embedding
/// of time and class, and what images and labels they take.
///
/// The embedding of time has no weights: [sin(t w), cos(t w)] with w_k = 10000^(-2k / 256). That of
/// the class, condition_adapter.label_emb, is added to it. The null class has no row there and adds
/// nothing: it is the unconditional embedding.
class IddmNetwork : public Network {
 public:
  void use_kernels(Kernels kernels) override;

 protected:
  /// `levels`: resolutions of the network; each but the first halves height and width. Throws
  /// ConfigError, naming the key, for placeholders, a sample size that cannot be halved so often,
  /// dropout, and classes that leave none but the null class.
  IddmNetwork(const ModelConfig& config, std::int64_t levels);

  /// Throws ConfigError unless images, time steps and labels fit the network.
  void check(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) const;

  /// [N, kIddmEmbeddingSize] of time and class, of the weights' type `type`.
  at::Tensor embed(const at::Tensor& t, const at::Tensor& labels, at::ScalarType type);

 private:
  std::int64_t size_factor_;
  torch::nn::Embedding label_emb_{nullptr};
};

/// model.channels, or `defaults` where it is empty. Throws ConfigError unless there are as many as
/// in `defaults`, all positive.
std::vector<std::int64_t> iddm_channels(const ModelConfig& config,
                                        std::initializer_list<std::int64_t> defaults);

/// Registers a module without weights of its own under `parent`, for names that PyTorch gives by
/// nesting, like the numbers of a Sequential.
torch::nn::Module& register_scope(torch::nn::Module& parent, const char* name);

/// IDDM's "emb_layer": the embedding, through SiLU and a linear layer, is added to every pixel.
class EmbeddingShift : public torch::nn::Module {
 public:
  explicit EmbeddingShift(std::int64_t channels);

  /// x: [N, channels, H, W]; embedding: [N, kIddmEmbeddingSize].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& embedding);

 private:
  torch::nn::Linear linear_;
};

}  // namespace effuse
