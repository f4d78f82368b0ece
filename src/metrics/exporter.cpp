#include "metrics/exporter.hpp"

#include <netdb.h>
#include <prometheus/exposer.h>
#include <prometheus/registry.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "core/text.hpp"

namespace effuse::metrics {
namespace {

std::string endpoint_of(const std::string& address, int port) {
  const bool is_ipv6 = address.find(':') != std::string::npos;
  return is_ipv6 ? cat("[", address, "]:", port) : cat(address, ":", port);
}

/// The errno with which an address cannot be listened on, 0 where it can.
int listening_error(const addrinfo& address) {
  const int socket_handle = ::socket(address.ai_family, address.ai_socktype, address.ai_protocol);
  if (socket_handle < 0) return errno;
  const int reuse = 1;
  ::setsockopt(socket_handle, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  int reason = 0;
  if (::bind(socket_handle, address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(socket_handle, 1) != 0) {
    reason = errno;
  }
  ::close(socket_handle);
  return reason;
}

/// Why the exposer failed: its own exception says only that something did, so the same is tried
/// again by hand.
std::string reason_of_failure(const std::string& address, int port, const std::string& fallback) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return cat(address, " is no numeric address");
  }
  const int reason = listening_error(*found);
  ::freeaddrinfo(found);
  if (reason == EADDRINUSE) return cat("port ", port, " on ", address, " is in use");
  if (reason != 0) return cat("port ", port, " on ", address, ": ", std::strerror(reason));
  return fallback;
}

}  // namespace

Exporter::Exporter(std::shared_ptr<prometheus::Registry> registry, const std::string& endpoint)
    : registry_(std::move(registry)), exposer_(std::make_unique<prometheus::Exposer>(endpoint)) {
  exposer_->RegisterCollectable(registry_);
  port_ = exposer_->GetListeningPorts().at(0);
}

Exporter::~Exporter() = default;

Exporter::Started Exporter::start(const Registry& registry, const std::string& address, int port) {
  try {
    return {std::unique_ptr<Exporter>(new Exporter(registry.registry_, endpoint_of(address, port))),
            ""};
  } catch (const std::exception& error) {
    return {nullptr, cat(reason_of_failure(address, port, error.what()),
                         "; the job goes on without an exporter")};
  }
}

}  // namespace effuse::metrics
