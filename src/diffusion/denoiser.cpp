#include "diffusion/denoiser.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

at::Tensor time_steps_for(const at::Tensor& x, std::int64_t t) {
  return at::full({x.size(0)}, t, x.options().dtype(at::kLong));
}

/// `labels` may be undefined.
Denoiser with_labels(NoiseModel model, at::Tensor labels) {
  return
      [model = std::move(model), labels = std::move(labels)](const at::Tensor& x, std::int64_t t) {
        return model(x, time_steps_for(x, t), labels);
      };
}

}  // namespace

Denoiser guided(NoiseModel model, const at::Tensor& labels, std::int64_t null_class, double scale,
                GuidanceBatch batch) {
  if (!labels.defined() || scale == 1.0) return with_labels(std::move(model), labels);
  if (null_class < 0) {
    throw ConfigError(cat("guidance of ", scale,
                          " needs a null class, which the network does not have; use guidance 1"));
  }
  const at::Tensor null_labels = at::full_like(labels, null_class);
  if (scale == 0.0) return with_labels(std::move(model), null_labels);
  if (batch == GuidanceBatch::separate) {
    const Denoiser with = with_labels(model, labels);
    const Denoiser without = with_labels(std::move(model), null_labels);
    return [with, without, scale](const at::Tensor& x, std::int64_t t) {
      const at::Tensor prediction = with(x, t).to(x.scalar_type());
      return at::lerp(without(x, t).to(x.scalar_type()), prediction, scale);
    };
  }
  const Denoiser both = with_labels(std::move(model), at::cat({null_labels, labels}));
  return [both, scale](const at::Tensor& x, std::int64_t t) {
    const auto predictions = both(at::cat({x, x}), t).to(x.scalar_type()).chunk(2);
    return at::lerp(predictions[0], predictions[1], scale);
  };
}

}  // namespace effuse
