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

constexpr double kBounds[] = {0.5, 1};
constexpr double kEqual[] = {1, 1};

Series gauge_named(std::string_view name, std::string_view help = "Loss",
                   std::string_view labels = "") {
  return {.name = name, .type = Series::Type::gauge, .help = help, .labels = labels};
}

Series counter_named(std::string_view name) {
  return {.name = name, .type = Series::Type::counter, .help = "Optimiser steps done"};
}

Series histogram_named(std::string_view name, std::span<const double> bounds = kBounds) {
  return {.name = name,
          .type = Series::Type::histogram,
          .help = "Time of a step",
          .upper_bounds = bounds};
}

/// One of each kind.
void fill(Registry& registry) {
  registry.counter(counter_named("effuse_steps_total")).add(3);
  Gauge loss =
      registry.gauge(gauge_named("effuse_loss_ratio", "Loss", "bucket"), {{"bucket", "0"}});
  loss.set(0.5);
  loss.add(-0.25);
  registry.gauge(gauge_named("effuse_loss_ratio", "Loss", "bucket"), {{"bucket", "1"}}).set(2);
  Histogram step = registry.histogram(histogram_named("effuse_step_seconds"));
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
  registry.gauge(gauge_named("effuse_loss", "Loss", "bucket"), {{"bucket", "0"}}).set(1);
  EXPECT_NE(registry.text({{"rank", "3"}, {"run", "a"}})
                .find("effuse_loss{bucket=\"0\",rank=\"3\",run=\"a\"} 1\n"),
            std::string::npos);
}

TEST(Registry, PassesPromtool) {
  const TemporaryFolder folder;
  Registry registry;
  fill(registry);
  write_file_atomically(folder / "metrics", registry.text());
  const std::string command = "promtool check metrics < " + (folder / "metrics").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Registry, TheSameNameAndLabelsAreTheSameSeries) {
  Registry registry;
  registry.counter(counter_named("effuse_steps_total")).add(1);
  registry.counter(counter_named("effuse_steps_total")).add(2);
  EXPECT_NE(registry.text().find("effuse_steps_total 3\n"), std::string::npos);
}

TEST(Registry, ACounterNeverFalls) {
  Registry registry;
  Counter steps = registry.counter(counter_named("effuse_steps_total"));
  steps.add(5);
  steps.add(-3);
  EXPECT_NE(registry.text().find("effuse_steps_total 5\n"), std::string::npos);
}

TEST(Registry, KeepsWhatIsNoNumber) {
  Registry registry;
  registry.gauge(gauge_named("effuse_loss", "Loss")).set(std::numeric_limits<double>::quiet_NaN());
  EXPECT_NE(registry.text().find("effuse_loss Nan\n"), std::string::npos) << registry.text();
}

TEST(Registry, RefusesNamesAgainstTheConventions) {
  Registry registry;
  const auto complaint = [&](auto&& make) { return message_of<Error>(make); };
  EXPECT_EQ(complaint([&] { registry.gauge(gauge_named("loss", "Loss")); }),
            "metric loss must begin with effuse_ (Prometheus' naming conventions)");
  EXPECT_NE(
      complaint([&] { registry.counter(counter_named("effuse_steps")); }).find("end in _total"),
      std::string::npos);
  EXPECT_NE(complaint([&] {
              registry.gauge(gauge_named("effuse_x_total", "X"));
            }).find("only they end in"),
            std::string::npos);
  EXPECT_NE(complaint([&] { registry.gauge(gauge_named("effuse_Loss", "X")); }).find("lower-case"),
            std::string::npos);
  EXPECT_NE(complaint([&] { registry.gauge(gauge_named("effuse_loss", "")); }).find("no help text"),
            std::string::npos);
  EXPECT_NE(complaint([&] {
              registry.gauge(gauge_named("effuse_loss", "X", "le"), {{"le", "1"}});
            }).find("label le"),
            std::string::npos);
  EXPECT_NE(complaint([&] {
              registry.histogram(histogram_named("effuse_h", kEqual));
            }).find("increasing"),
            std::string::npos);
  EXPECT_NE(
      complaint([&] { registry.histogram(histogram_named("effuse_h", {})); }).find("increasing"),
      std::string::npos);
}

TEST(Registry, RefusesLabelsThatTheSeriesDoesNotDeclare) {
  Registry registry;
  const Series loss = gauge_named("effuse_loss", "Loss", "reason, bucket");
  registry.gauge(loss, {{"bucket", "0"}, {"reason", "x"}});
  EXPECT_EQ(message_of<Error>([&] {
              registry.gauge(loss, {{"bucket", "0"}});
            }),
            "metric effuse_loss has the labels (bucket, reason), not (bucket) (Prometheus' naming "
            "conventions)");
  EXPECT_NE(message_of<Error>([&] { registry.histogram(loss); }).find("another type"),
            std::string::npos);
}

TEST(Registry, RefusesANameOfAnotherKind) {
  Registry registry;
  registry.gauge(gauge_named("effuse_size_bytes", "Size"));
  EXPECT_NE(message_of<Error>([&] {
              registry.histogram(histogram_named("effuse_size_bytes"));
            }).find("effuse_size_bytes cannot be registered"),
            std::string::npos);
}

}  // namespace
}  // namespace effuse::metrics
