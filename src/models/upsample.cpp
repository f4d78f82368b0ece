#include "models/upsample.hpp"

#include <ATen/ATen.h>
#include <ATen/Context.h>

namespace effuse {
namespace {

/// [2 size, size]: each row holds the weights of one output.
at::Tensor interpolation_matrix(std::int64_t size, const at::TensorOptions& options) {
  const at::Tensor unit = at::eye(size, options.device(at::kCPU).dtype(at::kDouble)).unsqueeze(0);
  const at::Tensor weights = at::upsample_linear1d(unit, {2 * size}, /*align_corners=*/true);
  return weights[0].t().to(options.device(), options.dtype().toScalarType()).contiguous();
}

}  // namespace

at::Tensor upsample_bilinear_by_products(const at::Tensor& x) {
  const at::Tensor rows = interpolation_matrix(x.size(2), x.options());
  const at::Tensor columns = interpolation_matrix(x.size(3), x.options());
  return at::matmul(rows, at::matmul(x, columns.t()));
}

at::Tensor upsample_bilinear(const at::Tensor& x) {
  if (x.is_cuda() && at::globalContext().deterministicAlgorithms()) {
    return upsample_bilinear_by_products(x);
  }
  return at::upsample_bilinear2d(x, {2 * x.size(2), 2 * x.size(3)}, /*align_corners=*/true);
}

}  // namespace effuse
