#pragma once

#include <memory>
#include <string>

#include "metrics/registry.hpp"

namespace prometheus {
class Exposer;
}

namespace effuse::metrics {

/// Serves a registry at http://ADDRESS:PORT/metrics from threads of its own until it is destroyed.
class Exporter {
 public:
  struct Started {
    std::unique_ptr<Exporter> exporter;  ///< null where it could not be started
    std::string problem;                 ///< then why, as a sentence for the log
  };

  /// Listens on `address` (IPv4 or IPv6, numeric) and `port`; 0: a free one. Throws nothing a
  /// network can cause: a run without an exporter is better than no run.
  static Started start(const Registry& registry, const std::string& address, int port);

  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  /// The port it really listens on.
  int port() const { return port_; }

 private:
  Exporter(std::shared_ptr<prometheus::Registry> registry, const std::string& endpoint);

  std::shared_ptr<prometheus::Registry> registry_;  // the exposer itself keeps only a weak pointer
  std::unique_ptr<prometheus::Exposer> exposer_;
  int port_ = 0;
};

}  // namespace effuse::metrics
