#include "evaluation/inception_blocks.hpp"

#include <ATen/ATen.h>

#include <utility>

namespace effuse {
namespace {

constexpr std::int64_t kInner17 = 768;  ///< channels between the 17 x 17 blocks

/// One convolution of a chain.
struct Layer {
  const char* name;
  std::int64_t channels;  ///< out
  std::array<std::int64_t, 2> kernel;
  ConvUnit::Geometry geometry{};
};

constexpr ConvUnit::Geometry kHalving{{0, 0}, {2, 2}};

constexpr ConvUnit::Geometry padded(std::int64_t height, std::int64_t width) {
  return {{height, width}, {1, 1}};
}

ConvChain make_chain(BlockSource& source, const std::string& block, std::int64_t channels,
                     const std::vector<Layer>& layers) {
  ConvChain chain;
  for (const Layer& layer : layers) {
    chain.push_back(source.weights.take_unit(block + "." + layer.name, channels, layer.channels,
                                             layer.kernel, layer.geometry, source.device));
    channels = layer.channels;
  }
  return chain;
}

at::Tensor pooled(const at::Tensor& x, BlockPool pool) {
  if (pool == BlockPool::maximum) return at::max_pool2d(x, {3, 3}, {1, 1}, {1, 1});
  return at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1}, /*ceil_mode=*/false,
                        /*count_include_pad=*/false);
}

/// Chains and a convolution of the pooled input.
class PoolingBlock : public InceptionBlock {
 public:
  PoolingBlock(std::vector<ConvChain> chains, ConvChain after_pool)
      : chains_(std::move(chains)), after_pool_(std::move(after_pool)) {}

  at::Tensor operator()(const at::Tensor& x) const override {
    std::vector<at::Tensor> branches;
    for (const ConvChain& chain : chains_) branches.push_back(run(chain, x));
    branches.push_back(run(after_pool_, pooled(x, BlockPool::average)));
    return at::cat(branches, 1);
  }

 private:
  std::vector<ConvChain> chains_;
  ConvChain after_pool_;
};

/// Chains that halve the image, and its maxima.
class ReducingBlock : public InceptionBlock {
 public:
  explicit ReducingBlock(std::vector<ConvChain> chains) : chains_(std::move(chains)) {}

  at::Tensor operator()(const at::Tensor& x) const override {
    std::vector<at::Tensor> branches;
    for (const ConvChain& chain : chains_) branches.push_back(run(chain, x));
    branches.push_back(at::max_pool2d(x, {3, 3}, {2, 2}));
    return at::cat(branches, 1);
  }

 private:
  std::vector<ConvChain> chains_;
};

/// Chains whose results are convolved in two ways, side by side.
class SpreadingBlock : public InceptionBlock {
 public:
  struct Spread {
    ConvChain stem, across, down;
  };
  struct Parts {
    ConvChain single;
    std::vector<Spread> spreads;
    ConvChain after_pool;
    BlockPool pool = BlockPool::average;
  };

  explicit SpreadingBlock(Parts parts) : parts_(std::move(parts)) {}

  at::Tensor operator()(const at::Tensor& x) const override {
    std::vector<at::Tensor> branches{run(parts_.single, x)};
    for (const Spread& spread : parts_.spreads) {
      const at::Tensor stem = run(spread.stem, x);
      branches.push_back(run(spread.across, stem));
      branches.push_back(run(spread.down, stem));
    }
    branches.push_back(run(parts_.after_pool, pooled(x, parts_.pool)));
    return at::cat(branches, 1);
  }

 private:
  Parts parts_;
};

}  // namespace

at::Tensor run(const ConvChain& chain, at::Tensor x) {
  for (const ConvUnit& unit : chain) x = unit(x);
  return x;
}

std::unique_ptr<InceptionBlock> make_block_35(BlockSource& source, const std::string& name,
                                              std::int64_t channels, std::int64_t pool_channels) {
  const auto chain = [&](const std::vector<Layer>& layers) {
    return make_chain(source, name, channels, layers);
  };
  return std::make_unique<PoolingBlock>(
      std::vector<ConvChain>{
          chain({{"branch1x1", 64, {1, 1}}}),
          chain({{"branch5x5_1", 48, {1, 1}}, {"branch5x5_2", 64, {5, 5}, padded(2, 2)}}),
          chain({{"branch3x3dbl_1", 64, {1, 1}},
                 {"branch3x3dbl_2", 96, {3, 3}, padded(1, 1)},
                 {"branch3x3dbl_3", 96, {3, 3}, padded(1, 1)}})},
      chain({{"branch_pool", pool_channels, {1, 1}}}));
}

std::unique_ptr<InceptionBlock> make_reduction_to_17(BlockSource& source, const std::string& name,
                                                     std::int64_t channels) {
  return std::make_unique<ReducingBlock>(std::vector<ConvChain>{
      make_chain(source, name, channels, {{"branch3x3", 384, {3, 3}, kHalving}}),
      make_chain(source, name, channels,
                 {{"branch3x3dbl_1", 64, {1, 1}},
                  {"branch3x3dbl_2", 96, {3, 3}, padded(1, 1)},
                  {"branch3x3dbl_3", 96, {3, 3}, kHalving}})});
}

std::unique_ptr<InceptionBlock> make_block_17(BlockSource& source, const std::string& name,
                                              std::int64_t inner) {
  const auto chain = [&](const std::vector<Layer>& layers) {
    return make_chain(source, name, kInner17, layers);
  };
  return std::make_unique<PoolingBlock>(
      std::vector<ConvChain>{chain({{"branch1x1", 192, {1, 1}}}),
                             chain({{"branch7x7_1", inner, {1, 1}},
                                    {"branch7x7_2", inner, {1, 7}, padded(0, 3)},
                                    {"branch7x7_3", 192, {7, 1}, padded(3, 0)}}),
                             chain({{"branch7x7dbl_1", inner, {1, 1}},
                                    {"branch7x7dbl_2", inner, {7, 1}, padded(3, 0)},
                                    {"branch7x7dbl_3", inner, {1, 7}, padded(0, 3)},
                                    {"branch7x7dbl_4", inner, {7, 1}, padded(3, 0)},
                                    {"branch7x7dbl_5", 192, {1, 7}, padded(0, 3)}})},
      chain({{"branch_pool", 192, {1, 1}}}));
}

std::unique_ptr<InceptionBlock> make_reduction_to_8(BlockSource& source, const std::string& name,
                                                    std::int64_t channels) {
  return std::make_unique<ReducingBlock>(std::vector<ConvChain>{
      make_chain(source, name, channels,
                 {{"branch3x3_1", 192, {1, 1}}, {"branch3x3_2", 320, {3, 3}, kHalving}}),
      make_chain(source, name, channels,
                 {{"branch7x7x3_1", 192, {1, 1}},
                  {"branch7x7x3_2", 192, {1, 7}, padded(0, 3)},
                  {"branch7x7x3_3", 192, {7, 1}, padded(3, 0)},
                  {"branch7x7x3_4", 192, {3, 3}, kHalving}})});
}

std::unique_ptr<InceptionBlock> make_block_8(BlockSource& source, const std::string& name,
                                             std::int64_t channels, BlockPool pool) {
  constexpr std::int64_t kWide = 384;
  const auto chain = [&](std::int64_t from, const std::vector<Layer>& layers) {
    return make_chain(source, name, from, layers);
  };
  const auto spread = [&](ConvChain stem, const char* across, const char* down) {
    return SpreadingBlock::Spread{std::move(stem),
                                  chain(kWide, {{across, kWide, {1, 3}, padded(0, 1)}}),
                                  chain(kWide, {{down, kWide, {3, 1}, padded(1, 0)}})};
  };
  SpreadingBlock::Parts parts{.single = chain(channels, {{"branch1x1", 320, {1, 1}}}),
                              .spreads = {},
                              .after_pool = chain(channels, {{"branch_pool", 192, {1, 1}}}),
                              .pool = pool};
  parts.spreads.push_back(
      spread(chain(channels, {{"branch3x3_1", kWide, {1, 1}}}), "branch3x3_2a", "branch3x3_2b"));
  parts.spreads.push_back(spread(chain(channels, {{"branch3x3dbl_1", 448, {1, 1}},
                                                  {"branch3x3dbl_2", kWide, {3, 3}, padded(1, 1)}}),
                                 "branch3x3dbl_3a", "branch3x3dbl_3b"));
  return std::make_unique<SpreadingBlock>(std::move(parts));
}

}  // namespace effuse
