#include "models/precision.hpp"

#include <ATen/autocast_mode.h>

#include "kernels/processor.hpp"

namespace effuse {

at::ScalarType compute_type(const std::string& compute) {
  if (compute == "bf16") return at::kBFloat16;
  return compute == "fp16" ? at::kHalf : at::kFloat;
}

at::ScalarType weight_type(const PrecisionConfig& config) {
  return config.weights == "compute" ? compute_type(config.compute) : at::kFloat;
}

std::string autocast_compute(const PrecisionConfig& config) {
  return config.weights == "compute" ? "fp32" : config.compute;
}

bool computes_slowly(const std::string& compute, at::Device device) {
  return device.is_cpu() && !has_products_of(compute_type(compute));
}

at::MemoryFormat memory_format(const PrecisionConfig& config, at::Device device) {
  const bool faster_last = device.is_cuda() || compute_type(config.compute) == at::kFloat;
  const bool last = config.layout == "auto" ? faster_last : config.layout == "channels_last";
  return last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

ComputePrecision::ComputePrecision(const std::string& compute, at::Device device)
    : device_(device.type()), enabled_(compute_type(compute) != at::kFloat) {
  if (!enabled_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, compute_type(compute));
  at::autocast::increment_nesting();
}

ComputePrecision::~ComputePrecision() {
  if (!enabled_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
}

}  // namespace effuse
