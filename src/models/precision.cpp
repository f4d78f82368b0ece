#include "models/precision.hpp"

#include <ATen/autocast_mode.h>

namespace effuse {

ComputePrecision::ComputePrecision(const std::string& compute, at::Device device)
    : device_(device.type()), enabled_(compute == "bf16") {
  if (!enabled_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  at::autocast::increment_nesting();
}

ComputePrecision::~ComputePrecision() {
  if (!enabled_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
}

}  // namespace effuse
