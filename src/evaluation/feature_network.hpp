#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "config/config.hpp"

namespace effuse {

/// What decides the features of an image: distances of features of different origin mean nothing.
struct FeatureOrigin {
  /// "inception-2015-12-05"; "inception-unknown-weights" of its shape; or "torchscript".
  std::string network;
  std::string sha256;      ///< of the file of its weights
  std::string convention;  ///< how images become its input; empty: the network's own affair

  bool operator==(const FeatureOrigin&) const = default;
};

/// "inception-2015-12-05 6726825d0af5, convention clean", for messages.
std::string describe(const FeatureOrigin& origin);

/// What a network says of N images.
struct Features {
  at::Tensor pooled;  ///< fp32 [N, D]
  at::Tensor logits;  ///< fp32 [N, classes]; undefined where the network has none
};

/// A network whose features tell images apart as people do.
class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;

  /// images: uint8 [N, H, W, 3] on the network's device; so is the result. An image's features are
  /// the same bits in any batch of the same N, H and W. Throws DataError where the network fails.
  virtual Features operator()(const at::Tensor& images) const = 0;

  /// D.
  virtual std::int64_t dimensions() const = 0;

  /// Whether it gives logits, from which the Inception Score is made.
  virtual bool classifies() const = 0;

  virtual const FeatureOrigin& origin() const = 0;
};

/// The network of evaluation.network, or else the Inception network with evaluation.weights. Throws
/// ConfigError where neither is set, or evaluation.metrics has the Inception Score and the network
/// does not classify; DataError where the file is not what it should be.
std::unique_ptr<FeatureNetwork> make_feature_network(const EvaluationConfig& config,
                                                     at::Device device);

}  // namespace effuse
