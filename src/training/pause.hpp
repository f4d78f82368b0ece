#pragma once

#include "metrics/registry.hpp"
#include "training/goodput.hpp"

namespace effuse {

/// effuse_train_paused of that reason: whether training stands still for it.
inline metrics::Gauge paused_gauge(metrics::Registry& registry, Lost reason) {
  const char* name = kLostNames[static_cast<std::size_t>(reason)];
  return registry.gauge(metrics::series("effuse_train_paused"), {{"reason", name}});
}

/// Training stands still as long as this lives.
class Pause {
 public:
  explicit Pause(metrics::Gauge paused) : paused_(paused) { paused_.set(1); }
  ~Pause() { paused_.set(0); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  metrics::Gauge paused_;
};

}  // namespace effuse
