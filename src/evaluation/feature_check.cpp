#include "evaluation/feature_check.hpp"

#include <ATen/ATen.h>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/rank_sum.hpp"

namespace effuse {
namespace {

void require_equally_many(const at::Tensor& reference, const at::Tensor& images) {
  if (reference.dim() == 2 && images.dim() == 2 && reference.size(1) == images.size(1) &&
      reference.size(1) > 0) {
    return;
  }
  throw DataError(cat("features of shape ", reference.sizes(), " and ", images.sizes(),
                      " cannot be compared (both have to be [images, features] with equally "
                      "many features). Are they of the same network?"));
}

}  // namespace

void require_finite(const SharedRows& table, const char* what, const char* whose,
                    Communicator& comm, at::Device device) {
  const at::Tensor bad = at::isfinite(table.mine).logical_not_().any(1).nonzero();
  const std::int64_t first =
      bad.numel() > 0 ? table.range(comm).first + bad[0].item<std::int64_t>() : table.count;
  const at::Tensor least = at::full({1}, first, at::TensorOptions(at::kLong).device(device));
  comm.all_reduce(least, ReduceOp::min);
  const auto count = sum_over_ranks(at::tensor({bad.numel()}, at::kLong), comm, device);
  if (count.item<std::int64_t>() == 0) return;
  agree(comm, [&] {
    throw DataError(cat("the ", what, " of ", count.item<std::int64_t>(), " of the ", table.count,
                        " ", whose, " are not finite, the first of image ",
                        least.item<std::int64_t>(),
                        " (nothing can be compared with them). Is the network right for them?"));
  });
}

void require_comparable(const SharedRows& reference, const SharedRows& images, Communicator& comm,
                        at::Device device) {
  agree(comm, [&] { require_equally_many(reference.mine, images.mine); });
  require_finite(reference, "features", "reference images", comm, device);
  require_finite(images, "features", "images", comm, device);
}

}  // namespace effuse
