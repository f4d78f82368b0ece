#include "metrics/exporter.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <utility>

#include "core/text.hpp"

namespace effuse::metrics {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::seconds kPause{1};
/// Of a request, which needs none.
constexpr std::uint64_t kMostBody = 1 << 20;
/// At once; of more the oldest are closed, so that nobody takes the file descriptors that the job
/// needs, nor keeps others from a scrape by saying nothing.
constexpr std::size_t kMostExchanges = 16;

/// One request and its answer. Keeps itself alive until the answer is sent or patience runs out.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Tcp::socket socket, const Registry& registry)
      : stream_(std::move(socket)), registry_(registry) {}

  void begin() {
    stream_.expires_after(kPatience);
    request_.body_limit(kMostBody);
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       if (!error) self->answer();
                     });
  }

  /// Without an answer: others wait.
  void drop() { stream_.close(); }

 private:
  void answer() {
    const auto& request = request_.get();
    const auto path = request.target().substr(0, request.target().find('?'));
    const bool head = request.method() == http::verb::head;
    const bool reads = head || request.method() == http::verb::get;
    const bool found = path == "/metrics" || path == "/";
    response_.version(request.version());
    response_.result(!reads  ? http::status::method_not_allowed
                     : found ? http::status::ok
                             : http::status::not_found);
    response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    if (!reads) response_.set(http::field::allow, "GET, HEAD");
    response_.body() = reads && found ? registry_.text() : "metrics are at /metrics\n";
    response_.keep_alive(false);
    response_.prepare_payload();
    // Of an answer to HEAD the length is that of the body which it leaves out.
    if (head) response_.body().clear();
    send();
  }

  void send() {
    http::async_write(stream_, response_,
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->stream_.socket().shutdown(Tcp::socket::shutdown_send, error);
                      });
  }

  beast::tcp_stream stream_;
  const Registry& registry_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> request_;
  http::response<http::string_body> response_;
};

std::string sentence(const std::string& address, int port, const error_code& error) {
  if (error == asio::error::address_in_use) {
    return cat("port ", port, " on ", address, " is in use.");
  }
  return cat("cannot listen on port ", port, " of ", address, ": ", error.message(), ".");
}

}  // namespace

class Exporter::Server {
 public:
  explicit Server(const Registry& registry)
      : registry_(registry), acceptor_(context_), pause_(context_) {}

  ~Server() { context_.stop(); }

  error_code listen(const std::string& address, int port) {
    error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) return error;
    const Tcp::endpoint endpoint(ip, static_cast<unsigned short>(port));
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(Tcp::acceptor::max_listen_connections, error);
    return error;
  }

  void serve() {
    accept();
    thread_ = std::jthread([this] { context_.run(); });
  }

  int port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, Tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      begin(std::make_shared<Exchange>(std::move(socket), registry_));
      accept();
    });
  }

  void begin(const std::shared_ptr<Exchange>& exchange) {
    std::erase_if(open_, [](const auto& one) { return one.expired(); });
    if (open_.size() >= kMostExchanges) {
      if (const auto oldest = open_.front().lock()) oldest->drop();
      open_.pop_front();
    }
    open_.push_back(exchange);
    exchange->begin();
  }

  /// After an error that would come again at once, such as too many open files.
  void accept_later() {
    pause_.expires_after(kPause);
    pause_.async_wait([this](const error_code& error) {
      if (!error) accept();
    });
  }

  const Registry registry_;                   // shares the series with the caller's
  std::deque<std::weak_ptr<Exchange>> open_;  // the oldest first; used by the thread alone
  asio::io_context context_;
  Tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::jthread thread_;  // last: joined before the rest goes
};

Exporter::Exporter(std::unique_ptr<Server> server) : server_(std::move(server)) {}
Exporter::~Exporter() = default;

int Exporter::port() const { return server_->port(); }

Exporter::Started Exporter::start(const Registry& registry, const std::string& address, int port) {
  auto server = std::make_unique<Server>(registry);
  if (const error_code error = server->listen(address, port)) {
    return {nullptr, sentence(address, port, error)};
  }
  server->serve();
  return {std::unique_ptr<Exporter>(new Exporter(std::move(server))), ""};
}

}  // namespace effuse::metrics
