#include "evaluation/inception.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kClasses = 1008;
constexpr std::int64_t kCachedImages = 8;  ///< whose layers a CPU's caches have room for

const char* name_of(InputConvention convention) {
  switch (convention) {
    case InputConvention::legacy_pytorch:
      return "legacy-pytorch";
    case InputConvention::legacy_tensorflow:
      return "legacy-tensorflow";
    case InputConvention::clean:
      return "clean";
  }
  return "unknown";
}

std::string checked_sha256(const std::filesystem::path& weights,
                           InceptionNetwork::UnknownWeights unknown) {
  std::string sha256;
  try {
    sha256 = sha256_of_file(weights);
  } catch (const std::system_error& error) {
    throw DataError(cat("evaluation.weights: ", error.what()));
  }
  if (sha256 == kInceptionSha256 || unknown == InceptionNetwork::UnknownWeights::allow) {
    return sha256;
  }
  throw DataError(cat(weights.string(), " has the SHA-256 ", sha256, ", not that of ",
                      "pt_inception-2015-12-05-6726825d.pth, ", kInceptionSha256,
                      " (numbers from other weights compare with nobody's). "
                      "If that is meant, set evaluation.allow_unknown_weights to true."));
}

/// Numbers of other weights are never to be taken for those of FID's network.
const char* network_name(const std::string& sha256) {
  return sha256 == kInceptionSha256 ? "inception-2015-12-05" : "inception-unknown-weights";
}

}  // namespace

InceptionNetwork::InceptionNetwork(const std::filesystem::path& file, UnknownWeights unknown,
                                   InputConvention convention, at::Device device)
    : convention_(convention), origin_{"", checked_sha256(file, unknown), name_of(convention)} {
  origin_.network = network_name(origin_.sha256);
  InceptionWeights weights(file);
  build({weights, device});
  weights.require_all_taken();
}

void InceptionNetwork::build(BlockSource source) {
  const auto unit = [&](const char* name, std::int64_t from, std::int64_t to, std::int64_t kernel,
                        ConvUnit::Geometry geometry = {}) {
    return source.weights.take_unit(name, from, to, {kernel, kernel}, geometry, source.device);
  };
  stem_[0] = {unit("Conv2d_1a_3x3", 3, 32, 3, {{0, 0}, {2, 2}}), unit("Conv2d_2a_3x3", 32, 32, 3),
              unit("Conv2d_2b_3x3", 32, 64, 3, {{1, 1}, {1, 1}})};
  stem_[1] = {unit("Conv2d_3b_1x1", 64, 80, 1), unit("Conv2d_4a_3x3", 80, 192, 3)};
  blocks_.push_back(make_block_35(source, "Mixed_5b", 192, 32));
  blocks_.push_back(make_block_35(source, "Mixed_5c", 256, 64));
  blocks_.push_back(make_block_35(source, "Mixed_5d", 288, 64));
  blocks_.push_back(make_reduction_to_17(source, "Mixed_6a", 288));
  blocks_.push_back(make_block_17(source, "Mixed_6b", 128));
  blocks_.push_back(make_block_17(source, "Mixed_6c", 160));
  blocks_.push_back(make_block_17(source, "Mixed_6d", 160));
  blocks_.push_back(make_block_17(source, "Mixed_6e", 192));
  blocks_.push_back(make_reduction_to_8(source, "Mixed_7a", 768));
  blocks_.push_back(make_block_8(source, "Mixed_7b", 1280, BlockPool::average));
  blocks_.push_back(make_block_8(source, "Mixed_7c", 2048, BlockPool::maximum));
  classifier_ = source.weights.take("fc.weight", {kClasses, dimensions()}).to(source.device);
  source.weights.take("fc.bias", {kClasses});  // not used, but a part of the network
}

at::Tensor InceptionNetwork::pooled(const at::Tensor& images) const {
  at::Tensor x = as_network_input(images, kInputSize, convention_);
  for (const ConvChain& stem : stem_) x = at::max_pool2d(run(stem, x), {3, 3}, {2, 2});
  for (const auto& block : blocks_) x = (*block)(x);
  return x.mean(at::IntArrayRef{2, 3});
}

Features InceptionNetwork::operator()(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  const std::int64_t parts =
      images.is_cpu() ? (images.size(0) + kCachedImages - 1) / kCachedImages : 1;
  std::vector<at::Tensor> rows;
  for (const at::Tensor& part : images.chunk(parts)) rows.push_back(pooled(part));
  const at::Tensor features = at::cat(rows);
  return {features, at::matmul(features, classifier_.t())};
}

}  // namespace effuse
