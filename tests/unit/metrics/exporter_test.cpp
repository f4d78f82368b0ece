#include "metrics/exporter.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "loopback.hpp"

namespace effuse::metrics {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

TEST(Exporter, AnswersAScrapeOnAFreePort) {
  Registry registry;
  Counter steps = registry.counter(series("effuse_train_steps_total"));
  steps.add(41);
  const auto [exporter, problem] = Exporter::start(registry, kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  EXPECT_EQ(problem, "");
  EXPECT_GT(exporter->port(), 0);
  steps.add();
  const std::string answer = scrape(exporter->port());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("effuse_train_steps_total 42\n"), std::string::npos) << answer;
}

TEST(Exporter, KeepsServingWhenItsRegistryIsGone) {
  auto registry = std::make_unique<Registry>();
  registry->gauge(series("effuse_train_loss")).set(7);
  const auto [exporter, problem] = Exporter::start(*registry, kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  registry.reset();
  EXPECT_NE(scrape(exporter->port()).find("effuse_train_loss 7\n"), std::string::npos);
}

TEST(Exporter, TwoInOneProcessGetTwoPorts) {
  const Registry registry;
  const auto first = Exporter::start(registry, kLoopback, 0);
  const auto second = Exporter::start(registry, kLoopback, 0);
  ASSERT_TRUE(first.exporter && second.exporter);
  EXPECT_NE(first.exporter->port(), second.exporter->port());
}

TEST(Exporter, APortInUseIsSaidAndNoReasonToStop) {
  LoopbackSocket other;
  const int port = other.occupy_a_port();
  const auto [exporter, problem] = Exporter::start(Registry(), kLoopback, port);
  EXPECT_FALSE(exporter);
  EXPECT_EQ(problem, cat("port ", port, " on 127.0.0.1 is in use."));
}

TEST(Exporter, AnAddressThatIsNoneIsSaid) {
  const auto word = Exporter::start(Registry(), "nowhere", 0);
  EXPECT_FALSE(word.exporter);
  EXPECT_EQ(word.problem, "cannot listen on port 0 of nowhere: Invalid argument.");
  const auto foreign = Exporter::start(Registry(), "192.0.2.1", 0);  // RFC 5737: nobody's
  EXPECT_FALSE(foreign.exporter);
  EXPECT_EQ(foreign.problem,
            "cannot listen on port 0 of 192.0.2.1: Cannot assign requested address.");
}

TEST(Exporter, AVisitorWhoSaysNothingHoldsUpNobody) {
  Registry registry;
  registry.gauge(series("effuse_train_loss")).set(7);
  const auto [exporter, problem] = Exporter::start(registry, kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  LoopbackSocket silent;
  ASSERT_TRUE(silent.connect(exporter->port()));
  LoopbackSocket nonsense;
  ASSERT_TRUE(nonsense.connect(exporter->port()));
  nonsense.send("\x01\x02 nonsense\r\n\r\n");
  EXPECT_NE(scrape(exporter->port()).find("effuse_train_loss 7\n"), std::string::npos);
}

TEST(Exporter, HasNothingElseToOffer) {
  const auto [exporter, problem] = Exporter::start(Registry(), kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  EXPECT_TRUE(scrape(exporter->port(), "/secrets").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(scrape(exporter->port(), "/metrics?name=x").starts_with("HTTP/1.1 200 "));
}

TEST(Exporter, HeadHasTheLengthAndNoBody) {
  Registry registry;
  registry.gauge(series("effuse_train_loss")).set(7);
  const auto [exporter, problem] = Exporter::start(registry, kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  const std::string answer = ask(exporter->port(), "HEAD", "/metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  EXPECT_NE(answer.find(cat("Content-Length: ", registry.text().size(), "\r\n")), std::string::npos)
      << answer;
}

TEST(Exporter, CanOnlyBeRead) {
  const auto [exporter, problem] = Exporter::start(Registry(), kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  const std::string answer = ask(exporter->port(), "DELETE", "/metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
  EXPECT_NE(answer.find("Allow: GET, HEAD\r\n"), std::string::npos) << answer;
}

TEST(Exporter, ABodyIsNotMinded) {
  const auto [exporter, problem] = Exporter::start(Registry(), kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  for (const auto& [method, answer] :
       {std::pair("POST", "HTTP/1.1 405 "), {"GET", "HTTP/1.1 200 "}}) {
    LoopbackSocket socket;
    ASSERT_TRUE(socket.connect(exporter->port()));
    socket.send(
        cat(method, " /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nx=1"));
    EXPECT_TRUE(socket.receive_all().starts_with(answer)) << method;
  }
}

TEST(Exporter, ACrowdThatSaysNothingHoldsUpNobody) {
  Registry registry;
  registry.gauge(series("effuse_train_loss")).set(7);
  const auto [exporter, problem] = Exporter::start(registry, kLoopback, 0);
  ASSERT_TRUE(exporter) << problem;
  std::vector<LoopbackSocket> crowd(40);
  for (LoopbackSocket& one : crowd) ASSERT_TRUE(one.connect(exporter->port()));
  EXPECT_NE(scrape(exporter->port()).find("effuse_train_loss 7\n"), std::string::npos);
}

TEST(Exporter, FreesItsPortWhenDestroyed) {
  auto started = Exporter::start(Registry(), kLoopback, 0);
  ASSERT_TRUE(started.exporter);
  const int port = started.exporter->port();
  started.exporter.reset();
  LoopbackSocket socket;
  EXPECT_FALSE(socket.connect(port));
}

}  // namespace
}  // namespace effuse::metrics
