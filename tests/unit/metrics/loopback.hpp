#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace effuse {

/// A TCP socket on 127.0.0.1.
class LoopbackSocket {
 public:
  LoopbackSocket() : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (handle_ < 0) throw std::runtime_error("no socket");
    const timeval patience{10, 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~LoopbackSocket() { ::close(handle_); }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  /// Takes a free port, so that nobody else can; returns it.
  int occupy_a_port() {
    sockaddr_in address = address_of(0);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(handle_, generic, size) != 0 || ::listen(handle_, 1) != 0 ||
        ::getsockname(handle_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    return ntohs(address.sin_port);
  }

  bool connect(int port) {
    const sockaddr_in address = address_of(port);
    return ::connect(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  void send(const std::string& text) { ::send(handle_, text.data(), text.size(), MSG_NOSIGNAL); }

  std::string receive_all() {
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(handle_, buffer, sizeof(buffer), 0)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  static sockaddr_in address_of(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  int handle_;
};

/// The answer, headers and body.
inline std::string ask(int port, const std::string& method, const std::string& path) {
  LoopbackSocket socket;
  if (!socket.connect(port)) throw std::runtime_error("nobody listens");
  socket.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return socket.receive_all();
}

inline std::string scrape(int port, const std::string& path = "/metrics") {
  return ask(port, "GET", path);
}

}  // namespace effuse
