#include "evaluation/input_resize.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Two neighbours of a place between pixels, which is clamped into the row. In fp32, as both tools
/// compute: a place rounded otherwise is another one.
void set_linear_row(at::TensorAccessor<float, 1> row, float place, std::int64_t from) {
  const float inside = std::max(place, 0.0F);
  const auto left = std::min(static_cast<std::int64_t>(inside), from - 1);
  const std::int64_t right = std::min(left + 1, from - 1);
  const float share = left == right ? 0.0F : inside - static_cast<float>(left);
  row[left] += 1.0F - share;
  row[right] += share;
}

/// Keys' cubic with a = -0.5, as PIL's BICUBIC.
double cubic(double x) {
  constexpr double kA = -0.5;
  const double d = std::abs(x);
  if (d < 1.0) return ((kA + 2.0) * d - (kA + 3.0)) * d * d + 1.0;
  if (d < 2.0) return (((d - 5.0) * d + 8.0) * d - 4.0) * kA;
  return 0.0;
}

/// PIL's resampling (Resample.c): the kernel is widened where the image shrinks.
void set_cubic_row(at::TensorAccessor<float, 1> row, std::int64_t target, std::int64_t from,
                   std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double widening = std::max(scale, 1.0);
  const double support = 2.0 * widening;
  const double centre = (static_cast<double>(target) + 0.5) * scale;
  const auto first = std::max<std::int64_t>(std::lround(std::floor(centre - support + 0.5)), 0);
  const auto end = std::min<std::int64_t>(std::lround(std::floor(centre + support + 0.5)), from);
  double sum = 0.0;
  for (std::int64_t i = first; i < end; ++i) {
    sum += cubic((static_cast<double>(i) - centre + 0.5) / widening);
  }
  for (std::int64_t i = first; i < end; ++i) {
    row[i] = static_cast<float>(cubic((static_cast<double>(i) - centre + 0.5) / widening) / sum);
  }
}

/// [N, 3, H, W] by the weights of both directions, columns first, as PIL does.
at::Tensor resize(const at::Tensor& x, std::int64_t size, InputConvention convention) {
  const auto weights = [&](std::int64_t from) {
    return resize_weights(from, size, convention).to(x.device());
  };
  at::Tensor result = x;
  if (x.size(3) != size) result = at::matmul(result, weights(x.size(3)).t());
  if (x.size(2) != size) result = at::matmul(weights(x.size(2)), result);
  return result;
}

}  // namespace

InputConvention input_convention_named(std::string_view name) {
  if (name == "legacy-pytorch") return InputConvention::legacy_pytorch;
  if (name == "legacy-tensorflow") return InputConvention::legacy_tensorflow;
  if (name == "clean") return InputConvention::clean;
  throw ConfigError(cat("evaluation.convention: ", name, " is none of legacy-pytorch, ",
                        "legacy-tensorflow, clean"));
}

at::Tensor resize_weights(std::int64_t from, std::int64_t to, InputConvention convention) {
  const at::Tensor weights = at::zeros({to, from}, at::kFloat);
  auto rows = weights.accessor<float, 2>();
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (std::int64_t i = 0; i < to; ++i) {
    const auto target = static_cast<float>(i);
    switch (convention) {
      case InputConvention::legacy_pytorch:
        set_linear_row(rows[i], (target + 0.5F) * scale - 0.5F, from);
        break;
      case InputConvention::legacy_tensorflow:
        set_linear_row(rows[i], target * scale, from);
        break;
      case InputConvention::clean:
        set_cubic_row(rows[i], i, from, to);
        break;
    }
  }
  return weights;
}

at::Tensor as_network_input(const at::Tensor& images, std::int64_t size,
                            InputConvention convention) {
  const at::Tensor planes = images.permute({0, 3, 1, 2}).to(at::kFloat).contiguous();
  if (convention == InputConvention::legacy_pytorch) {
    return resize(planes.div_(255.0), size, convention).mul(2.0).sub_(1.0);
  }
  return resize(planes, size, convention).sub(128.0).div_(128.0);
}

}  // namespace effuse
