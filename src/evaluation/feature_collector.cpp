#include "evaluation/feature_collector.hpp"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// A rank without images cannot know how many columns the others' rows have.
std::int64_t columns_of(const std::vector<at::Tensor>& parts, Communicator& comm,
                        at::Device device) {
  const at::Tensor columns =
      at::tensor({parts.empty() ? std::int64_t{0} : parts.front().size(1)}, at::kLong).to(device);
  comm.all_reduce(columns, ReduceOp::max);
  return columns.item<std::int64_t>();
}

/// rows: [images, numbers].
void require_finite(const at::Tensor& rows, const char* what, const PlaceOfImage& place) {
  const at::Tensor bad = at::isfinite(rows).logical_not_().any(1).nonzero();
  if (bad.numel() == 0) return;
  throw DataError(cat("the ", what, " of image ", place(bad[0].item<std::int64_t>()),
                      " are not finite (nothing can be compared with them). Is the network right "
                      "for it?"));
}

}  // namespace

FeatureCollector::FeatureCollector(const FeatureNetwork& network, Keep keep, at::Device device)
    : network_(network), keep_(keep), device_(device), moments_(network.dimensions()) {}

Features FeatureCollector::compute(const at::Tensor& images, std::int64_t wanted,
                                   const PlaceOfImage& place) const {
  const at::NoTF32Guard whole_mantissa;  // numbers are to compare with those of CPUs
  const Features all = network_(images.to(device_));
  Features features{all.pooled.narrow(0, 0, wanted).cpu(), {}};
  require_finite(features.pooled, "features", place);
  if (!wants_logits()) return features;
  features.logits = all.logits.narrow(0, 0, wanted).cpu();
  require_finite(features.logits, "logits", place);
  return features;
}

void FeatureCollector::add(const Features& features) {
  moments_.add(features.pooled);
  if (keep_ == Keep::moments) return;
  pooled_.push_back(features.pooled);
  if (wants_logits()) logits_.push_back(features.logits);
}

FeatureSet FeatureCollector::join(std::int64_t count, std::int64_t tile, Communicator& comm) {
  moments_.reduce(comm, device_);
  FeatureSet set{std::move(moments_), {}, {}};
  if (keep_ == Keep::moments) return set;
  const auto joined = [&](const std::vector<at::Tensor>& parts) -> SharedRows {
    const std::int64_t columns = columns_of(parts, comm, device_);
    if (columns == 0) return {};
    return {parts.empty() ? at::empty({0, columns}, at::kFloat) : at::cat(parts), count, tile};
  };
  set.pooled = joined(pooled_);
  set.logits = joined(logits_);
  return set;
}

}  // namespace effuse
