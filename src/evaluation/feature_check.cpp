#include "evaluation/feature_check.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

void require_comparable(const SharedRows& reference, const SharedRows& images) {
  const at::IntArrayRef theirs = reference.mine.sizes();
  const at::IntArrayRef ours = images.mine.sizes();
  if (theirs.size() == 2 && ours.size() == 2 && theirs[1] == ours[1] && ours[1] > 0) return;
  throw DataError(cat("features of shape ", theirs, " and ", ours,
                      " cannot be compared (both have to be [images, features] with equally "
                      "many features). Are they of the same network?"));
}

}  // namespace effuse
