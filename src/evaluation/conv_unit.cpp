#include "evaluation/conv_unit.hpp"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>

namespace effuse {
namespace {

using OptionalScalars = c10::List<std::optional<at::Scalar>>;

/// oneDNN's convolution with its weights in the order it likes and ReLU applied while the result is
/// still in the cache. torch.compile uses these operators; ATen has no C++ function for them.
at::Tensor pack_weight(const at::Tensor& weight, const ConvUnit::Geometry& geometry,
                       at::IntArrayRef input) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
          .typed<at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                            std::int64_t, at::OptionalIntArrayRef)>();
  return op.call(weight, geometry.padding, geometry.stride, std::array<std::int64_t, 2>{1, 1}, 1,
                 input);
}

at::Tensor convolve_and_rectify(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias, const ConvUnit::Geometry& geometry) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                            std::string_view, OptionalScalars, std::optional<std::string_view>)>();
  return op.call(x, weight, bias, geometry.padding, geometry.stride,
                 std::array<std::int64_t, 2>{1, 1}, 1, "relu", OptionalScalars(), "");
}

}  // namespace

ConvUnit::ConvUnit(const at::Tensor& weight, const Norm& norm, const Geometry& geometry,
                   at::Device device)
    : geometry_(geometry) {
  const at::Tensor scale =
      norm.weight.to(at::kDouble) / (norm.variance.to(at::kDouble) + norm.epsilon).sqrt();
  weight_ = (weight.to(at::kDouble) * scale.view({-1, 1, 1, 1})).to(device, at::kFloat);
  bias_ = (norm.bias.to(at::kDouble) - norm.mean.to(at::kDouble) * scale).to(device, at::kFloat);
}

at::Tensor ConvUnit::operator()(const at::Tensor& x) const {
  if (x.is_cpu() && at::hasMKLDNN()) return fused_on_cpu(x);
  return at::conv2d(x, weight_, bias_, geometry_.stride, geometry_.padding).relu_();
}

at::Tensor ConvUnit::fused_on_cpu(const at::Tensor& x) const {
  if (x.sizes() != at::IntArrayRef(packed_shape_)) {
    packed_ = pack_weight(weight_, geometry_, x.sizes());
    packed_shape_ = x.sizes().vec();
  }
  return convolve_and_rectify(x, packed_, bias_, geometry_);
}

}  // namespace effuse
