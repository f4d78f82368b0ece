#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "evaluation/feature_network.hpp"
#include "evaluation/inception_blocks.hpp"
#include "evaluation/input_resize.hpp"

namespace effuse {

/// Inception-v3 with the weights of Google's inception-2015-12-05, whose last pooled layer (D =
/// 2048) FID, KID and precision and recall are defined on. Its logits are those without the last
/// bias, of 1008 outputs, from which TensorFlow's and torch-fidelity's Inception Score is made.
class InceptionNetwork : public FeatureNetwork {
 public:
  static constexpr std::int64_t kInputSize = 299;

  /// Whether weights of another SHA-256 than kInceptionSha256 are taken.
  enum class UnknownWeights { refuse, allow };

  /// Throws DataError where the file is not FID's Inception network.
  InceptionNetwork(const std::filesystem::path& weights, UnknownWeights unknown,
                   InputConvention convention, at::Device device);

  Features operator()(const at::Tensor& images) const override;
  std::int64_t dimensions() const override { return 2048; }
  bool classifies() const override { return true; }
  const FeatureOrigin& origin() const override { return origin_; }

 private:
  void build(BlockSource source);
  at::Tensor pooled(const at::Tensor& images) const;

  InputConvention convention_;
  FeatureOrigin origin_;
  ConvChain stem_[2];  ///< each is followed by a maximum pool
  std::vector<std::unique_ptr<InceptionBlock>> blocks_;
  at::Tensor classifier_;  ///< [1008, 2048]
};

}  // namespace effuse
