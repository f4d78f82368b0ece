#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "models/dropout.hpp"

namespace effuse {

/// What training and sampling have to know of a network, whatever its kind.
struct NetworkTraits {
  std::int64_t channels = 0;     ///< C of images and predictions
  std::int64_t sample_size = 0;  ///< height and width it was configured for
  std::int64_t class_count = 0;  ///< labels, the null class included; 0: unconditional
  bool has_null_class = true;    ///< whether the last of the labels is the null class
};

/// Whose arithmetic a network follows where several are right.
enum class Kernels {
  fused,  ///< src/kernels: fast, and the (HW)^2 matrix of attention is never held in memory
  iddm,   ///< PyTorch's as IDDM calls them: MultiheadAttention, which holds that matrix, and
          ///< normalisations that round before the activation; predicts only
};

/// A network that predicts, from a noisy image and its time step, what diffusion needs to know.
///
/// With classes, the last label is the null class, which stands for "no label" (classifier-free
/// guidance), unless the network has none.
class Network : public torch::nn::Module {
 public:
  explicit Network(const NetworkTraits& traits) : traits_(traits) {}

  /// The prediction, of the shape of x. x: [N, C, H, W] of the weights' type (or any float type
  /// under autocast); t: [N] int64 or float; labels: [N] int64 in 0 … class_count-1, undefined for
  /// an unconditional network. Throws ConfigError where a shape does not fit the network.
  virtual at::Tensor forward(const at::Tensor& x, const at::Tensor& t,
                             const at::Tensor& labels) = 0;

  /// Says which images the next forward pass in training mode holds, by their positions (images
  /// seen so far, one per row of x), so that dropout masks depend on (seed, position) alone and
  /// neither on ranks nor on micro-batches. Holds for one pass. Not needed where dropout is 0.
  void set_dropout_positions(std::uint64_t seed, std::span<const std::int64_t> positions) {
    dropout_->set(seed, positions);
  }

  /// For repeating IDDM's results to the last bit. Networks of other families have no choice, and
  /// this does nothing.
  virtual void use_kernels(Kernels kernels) { static_cast<void>(kernels); }

  const NetworkTraits& traits() const { return traits_; }
  bool is_conditional() const { return traits_.class_count > 0; }

  /// The label that means "no label"; -1 where there is none, as in an unconditional network.
  std::int64_t null_class() const {
    return traits_.has_null_class && is_conditional() ? traits_.class_count - 1 : -1;
  }

 protected:
  /// Shared with the dropout layers of this network.
  const std::shared_ptr<DropoutPositions>& dropout() const { return dropout_; }

  /// Throws ConfigError unless x, t and labels have the ranks and sizes that forward() asks for.
  void check_inputs(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) const;

  /// Throws ConfigError unless H and W of x are multiples of `factor`, which `levels` (a noun in
  /// the plural) ask for.
  void check_image_size(const at::Tensor& x, std::int64_t factor, std::string_view levels) const;

 private:
  NetworkTraits traits_;
  std::shared_ptr<DropoutPositions> dropout_ = std::make_shared<DropoutPositions>();
};

}  // namespace effuse
