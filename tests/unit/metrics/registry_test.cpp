#include "metrics/registry.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse::metrics {
namespace {

/// One of each kind.
void fill(Registry& registry) {
  registry.counter("effuse_steps_total", "Optimiser steps done").add(3);
  Gauge loss = registry.gauge("effuse_loss_ratio", "Loss", {{"bucket", "0"}});
  loss.set(0.5);
  loss.add(-0.25);
  registry.gauge("effuse_loss_ratio", "Loss", {{"bucket", "1"}}).set(2);
  Histogram step = registry.histogram("effuse_step_seconds", "Time of a step", {0.5, 1});
  for (const double seconds : {0.25, 0.75, 3.0}) step.observe(seconds);
}

constexpr const char* kText =
    "# HELP effuse_loss_ratio Loss\n"
    "# TYPE effuse_loss_ratio gauge\n"
    "effuse_loss_ratio{bucket=\"0\"} 0.25\n"
    "effuse_loss_ratio{bucket=\"1\"} 2\n"
    "# HELP effuse_step_seconds Time of a step\n"
    "# TYPE effuse_step_seconds histogram\n"
    "effuse_step_seconds_count 3\n"
    "effuse_step_seconds_sum 4\n"
    "effuse_step_seconds_bucket{le=\"0.5\"} 1\n"
    "effuse_step_seconds_bucket{le=\"1\"} 2\n"
    "effuse_step_seconds_bucket{le=\"+Inf\"} 3\n"
    "# HELP effuse_steps_total Optimiser steps done\n"
    "# TYPE effuse_steps_total counter\n"
    "effuse_steps_total 3\n";

TEST(Registry, WritesPrometheusText) {
  Registry registry;
  fill(registry);
  EXPECT_EQ(registry.text(), kText);
}

TEST(Registry, AddsTheIdentityToEverySeries) {
  Registry registry;
  registry.gauge("effuse_loss", "Loss", {{"bucket", "0"}}).set(1);
  EXPECT_NE(registry.text({{"rank", "3"}, {"run", "a"}})
                .find("effuse_loss{bucket=\"0\",rank=\"3\",run=\"a\"} 1\n"),
            std::string::npos);
}

TEST(Registry, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null") != 0) {
    GTEST_SKIP() << "NOT TESTED: promtool is not installed (Debian package prometheus)";
  }
  const TemporaryFolder folder;
  Registry registry;
  fill(registry);
  write_file_atomically(folder / "metrics", registry.text());
  const std::string command = "promtool check metrics < " + (folder / "metrics").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Registry, TheSameNameAndLabelsAreTheSameSeries) {
  Registry registry;
  registry.counter("effuse_steps_total", "Steps").add(1);
  registry.counter("effuse_steps_total", "Steps").add(2);
  EXPECT_NE(registry.text().find("effuse_steps_total 3\n"), std::string::npos);
}

TEST(Registry, ACounterNeverFalls) {
  Registry registry;
  Counter steps = registry.counter("effuse_steps_total", "Steps");
  steps.add(5);
  steps.add(-3);
  EXPECT_NE(registry.text().find("effuse_steps_total 5\n"), std::string::npos);
}

TEST(Registry, KeepsWhatIsNoNumber) {
  Registry registry;
  registry.gauge("effuse_loss", "Loss").set(std::numeric_limits<double>::quiet_NaN());
  EXPECT_NE(registry.text().find("effuse_loss Nan\n"), std::string::npos) << registry.text();
}

TEST(Registry, RefusesNamesAgainstTheConventions) {
  Registry registry;
  const auto complaint = [&](auto&& make) { return message_of<Error>(make); };
  EXPECT_EQ(complaint([&] { registry.gauge("loss", "Loss"); }),
            "metric loss must begin with effuse_ (Prometheus' naming conventions)");
  EXPECT_NE(complaint([&] { registry.counter("effuse_steps", "Steps"); }).find("end in _total"),
            std::string::npos);
  EXPECT_NE(complaint([&] { registry.gauge("effuse_x_total", "X"); }).find("only they end in"),
            std::string::npos);
  EXPECT_NE(complaint([&] { registry.gauge("effuse_Loss", "X"); }).find("lower-case"),
            std::string::npos);
  EXPECT_NE(complaint([&] { registry.gauge("effuse_loss", ""); }).find("no help text"),
            std::string::npos);
  EXPECT_NE(complaint([&] {
              registry.gauge("effuse_loss", "X", {{"le", "1"}});
            }).find("label le"),
            std::string::npos);
  EXPECT_NE(complaint([&] {
              registry.histogram("effuse_h", "X", {1, 1});
            }).find("increasing"),
            std::string::npos);
  EXPECT_NE(complaint([&] { registry.histogram("effuse_h", "X", {}); }).find("increasing"),
            std::string::npos);
}

TEST(Registry, RefusesANameOfAnotherKind) {
  Registry registry;
  registry.gauge("effuse_size_bytes", "Size");
  EXPECT_NE(message_of<Error>([&] {
              registry.histogram("effuse_size_bytes", "Size", {1});
            }).find("effuse_size_bytes cannot be registered"),
            std::string::npos);
}

}  // namespace
}  // namespace effuse::metrics
