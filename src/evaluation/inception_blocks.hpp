#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/conv_unit.hpp"
#include "evaluation/inception_weights.hpp"

/// The blocks of Inception-v3 (Szegedy et al. 2016, figures 5 to 10) as FID's network has them. Its
/// deviations from torchvision's: average pooling leaves the padding out of the count, and the last
/// block pools the maximum.
namespace effuse {

/// Units one after the other.
using ConvChain = std::vector<ConvUnit>;

at::Tensor run(const ConvChain& chain, at::Tensor x);

/// What a block's pooling branch does to its input.
enum class BlockPool { average, maximum };

/// Where the blocks get their weights, and whose device they are on.
struct BlockSource {
  InceptionWeights& weights;
  at::Device device;
};

/// Branches over one input, their channels joined: "Mixed_5b" to "Mixed_7c".
class InceptionBlock {
 public:
  virtual ~InceptionBlock() = default;

  /// x: fp32 [N, C_in, H, W]; the result is [N, C_out, H', W'].
  virtual at::Tensor operator()(const at::Tensor& x) const = 0;
};

/// 35 x 35: 1x1, 5x5, two 3x3, pool. C_out = 224 + pool_channels.
std::unique_ptr<InceptionBlock> make_block_35(BlockSource& source, const std::string& name,
                                              std::int64_t channels, std::int64_t pool_channels);

/// 35 x 35 to 17 x 17. C_out = channels + 480.
std::unique_ptr<InceptionBlock> make_reduction_to_17(BlockSource& source, const std::string& name,
                                                     std::int64_t channels);

/// 17 x 17: 1x1, 7x7 in two factors, twice that, pool. C_out = 768.
std::unique_ptr<InceptionBlock> make_block_17(BlockSource& source, const std::string& name,
                                              std::int64_t inner_channels);

/// 17 x 17 to 8 x 8. C_out = channels + 512.
std::unique_ptr<InceptionBlock> make_reduction_to_8(BlockSource& source, const std::string& name,
                                                    std::int64_t channels);

/// 8 x 8: 1x1, 3x3 spread into 1x3 and 3x1, two of them, pool. C_out = 2048.
std::unique_ptr<InceptionBlock> make_block_8(BlockSource& source, const std::string& name,
                                             std::int64_t channels, BlockPool pool);

}  // namespace effuse
