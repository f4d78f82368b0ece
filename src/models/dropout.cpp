#include "models/dropout.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace effuse {

Dropout::Dropout(double probability, std::shared_ptr<DropoutPositions> positions)
    : probability_(probability),
      positions_(std::move(positions)),
      layer_(positions_->next_layer()) {}

at::Tensor Dropout::forward(const at::Tensor& x) {
  if (!is_training() || probability_ == 0.0) return x;
  const auto known = static_cast<std::int64_t>(positions_->positions().size());
  if (known != x.size(0)) {
    throw ConfigError(cat("dropout got ", x.size(0), " images but knows the positions of ", known,
                          " (masks are drawn by position); call set_dropout_positions before each "
                          "forward pass in training mode"));
  }
  return x * draw_mask(x);
}

at::Tensor Dropout::draw_mask(const at::Tensor& x) const {
  const auto images = positions_->positions();
  const std::int64_t image_size = x.numel() / x.size(0);
  const auto drop_below = static_cast<float>(probability_);
  const auto kept = static_cast<float>(1.0 / (1.0 - probability_));
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* const values = mask.data_ptr<float>();
  at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::span<float> image(values + i * image_size, static_cast<std::size_t>(image_size));
      RandomStream(positions_->seed(), Purpose::dropout,
                   static_cast<std::uint64_t>(images[static_cast<std::size_t>(i)]), layer_)
          .fill_uniform(image, 0.0f, 1.0f);
      for (float& value : image) value = value < drop_below ? 0.0f : kept;
    }
  });
  return mask.to(x.device(), x.scalar_type());
}

}  // namespace effuse
