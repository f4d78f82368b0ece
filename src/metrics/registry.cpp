#include "metrics/registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse::metrics {
namespace {

constexpr std::string_view kPrefix = "effuse_";
constexpr std::string_view kTotal = "_total";

bool is_lower_snake_case(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return !name.empty() && kLetters.find(name.front()) != std::string_view::npos &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

enum class Total { yes, no };

void check(const std::string& name, const std::string& help, const Labels& labels, Total total) {
  const auto reject = [&name](const std::string& problem) {
    throw Error(cat("metric ", name, " ", problem, " (Prometheus' naming conventions)"));
  };
  if (!is_lower_snake_case(name)) reject("must be lower-case letters, digits and underscores");
  if (!name.starts_with(kPrefix)) reject("must begin with effuse_");
  if (total == Total::yes && !name.ends_with(kTotal)) reject("is a counter: it must end in _total");
  if (total == Total::no && name.ends_with(kTotal))
    reject("is no counter: only they end in _total");
  if (help.empty()) reject("has no help text");
  for (const auto& [label, value] : labels) {
    const bool reserved = label == "le" || label == "quantile" || label.starts_with("__");
    if (!is_lower_snake_case(label) || reserved) reject(cat("cannot have a label ", label));
  }
}

/// prometheus-cpp refuses a name that another type has, or labels it does not like, by exceptions
/// of its own.
template <class Make>
auto& registered(const std::string& name, Make make) {
  try {
    return make();
  } catch (const std::exception& error) {
    throw Error(cat("metric ", name, " cannot be registered: ", error.what()));
  }
}

bool labels_before(const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
  return a.label < b.label;
}

}  // namespace

void Gauge::set(double value) { series_->Set(value); }
void Gauge::add(double amount) { series_->Increment(amount); }
void Counter::add(double amount) { series_->Increment(amount); }
void Histogram::observe(double value) { series_->Observe(value); }

Registry::Registry() : registry_(std::make_shared<prometheus::Registry>()) {}

Gauge Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  check(name, help, labels, Total::no);
  return Gauge(registered(name, [&]() -> prometheus::Gauge& {
    return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
  }));
}

Counter Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  check(name, help, labels, Total::yes);
  return Counter(registered(name, [&]() -> prometheus::Counter& {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
  }));
}

Histogram Registry::histogram(const std::string& name, const std::string& help,
                              const std::vector<double>& upper_bounds, const Labels& labels) {
  check(name, help, labels, Total::no);
  const bool increasing = std::adjacent_find(upper_bounds.begin(), upper_bounds.end(),
                                             std::greater_equal<>()) == upper_bounds.end();
  if (upper_bounds.empty() || !increasing) {
    throw Error(cat("metric ", name, ": the bounds of a histogram must be strictly increasing"));
  }
  return Histogram(registered(name, [&]() -> prometheus::Histogram& {
    return prometheus::BuildHistogram()
        .Name(name)
        .Help(help)
        .Register(*registry_)
        .Add(labels, upper_bounds);
  }));
}

std::string Registry::text(const Labels& identity) const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  for (prometheus::MetricFamily& family : families) {
    for (prometheus::ClientMetric& metric : family.metric) {
      for (const auto& [name, value] : identity) metric.label.push_back({name, value});
    }
    std::sort(family.metric.begin(), family.metric.end(), &labels_before);
  }
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace effuse::metrics
