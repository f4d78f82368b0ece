#include "evaluation/feature_check.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

void require_finite(const at::Tensor& features, const char* whose) {
  const at::Tensor bad = at::isfinite(features).logical_not_().any(1);
  const auto count = bad.sum().item<std::int64_t>();
  if (count == 0) return;
  throw DataError(cat("the features of ", count, " of the ", features.size(0), " ", whose,
                      " are not finite, the first of image ",
                      bad.to(at::kByte).argmax().item<std::int64_t>(),
                      " (nothing can be compared with them). Is the network right for them?"));
}

}  // namespace

void require_comparable(const at::Tensor& reference, const at::Tensor& images) {
  if (reference.dim() != 2 || images.dim() != 2 || reference.size(1) != images.size(1) ||
      reference.size(1) == 0) {
    throw DataError(cat("features of shape ", reference.sizes(), " and ", images.sizes(),
                        " cannot be compared (both have to be [images, features] with equally "
                        "many features). Are they of the same network?"));
  }
  require_finite(reference, "reference images");
  require_finite(images, "images");
}

}  // namespace effuse
