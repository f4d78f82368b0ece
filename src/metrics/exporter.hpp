#pragma once

#include <memory>
#include <string>

#include "metrics/registry.hpp"

namespace effuse::metrics {

/// Serves a registry at http://ADDRESS:PORT/metrics from a thread of its own until it is destroyed.
///
/// Boost.Beast rather than prometheus-cpp's own Exposer: that one's web server gives its threads
/// stacks of 100 KiB, which glibc refuses in a process with the CUDA libraries, whose thread-local
/// storage alone takes more.
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
  int port() const;

 private:
  class Server;

  explicit Exporter(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace effuse::metrics
