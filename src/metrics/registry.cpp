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

std::string names_of(const Labels& labels) {
  std::string names;
  for (const auto& [name, value] : labels) names += cat(names.empty() ? "" : ", ", name);
  return names;
}

/// In alphabetical order, as those of Labels are.
std::string sorted_names(std::string_view list) {
  Labels labels;
  for (std::size_t from = 0; from < list.size();) {
    const std::size_t end = std::min(list.find(", ", from), list.size());
    labels.emplace(list.substr(from, end - from), "");
    from = end + 2;
  }
  return names_of(labels);
}

void check(const Series& series, Series::Type type, const Labels& labels) {
  const auto reject = [&series](const std::string& problem) {
    throw Error(cat("metric ", series.name, " ", problem, " (Prometheus' naming conventions)"));
  };
  if (!is_lower_snake_case(series.name)) {
    reject("must be lower-case letters, digits and underscores");
  }
  if (!series.name.starts_with(kPrefix)) reject("must begin with effuse_");
  const bool total = series.name.ends_with(kTotal);
  if (type == Series::Type::counter && !total) reject("is a counter: it must end in _total");
  if (type != Series::Type::counter && total) reject("is no counter: only they end in _total");
  if (series.type != type) reject("is asked for as another type than it has");
  if (series.help.empty()) reject("has no help text");
  for (const auto& [label, value] : labels) {
    const bool reserved = label == "le" || label == "quantile" || label.starts_with("__");
    if (!is_lower_snake_case(label) || reserved) reject(cat("cannot have a label ", label));
  }
  if (names_of(labels) != sorted_names(series.labels)) {
    reject(cat("has the labels (", sorted_names(series.labels), "), not (", names_of(labels), ")"));
  }
}

/// prometheus-cpp refuses a name that another type has, or labels it does not like, by exceptions
/// of its own.
template <class Make>
auto& registered(const Series& series, Make make) {
  try {
    return make();
  } catch (const std::exception& error) {
    throw Error(cat("metric ", series.name, " cannot be registered: ", error.what()));
  }
}

template <class Builder>
Builder& described(Builder&& builder, const Series& series) {
  return builder.Name(std::string(series.name)).Help(std::string(series.help));
}

bool labels_before(const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
  return a.label < b.label;
}

}  // namespace

void Gauge::set(double value) { series_->Set(value); }
void Gauge::add(double amount) { series_->Increment(amount); }
void Counter::add(double amount) { series_->Increment(amount); }
double Counter::value() const { return series_->Value(); }
void Histogram::observe(double value) { series_->Observe(value); }

Registry::Registry() : registry_(std::make_shared<prometheus::Registry>()) {}

Gauge Registry::gauge(const Series& series, const Labels& labels) {
  check(series, Series::Type::gauge, labels);
  return Gauge(registered(series, [&]() -> prometheus::Gauge& {
    return described(prometheus::BuildGauge(), series).Register(*registry_).Add(labels);
  }));
}

Counter Registry::counter(const Series& series, const Labels& labels) {
  check(series, Series::Type::counter, labels);
  return Counter(registered(series, [&]() -> prometheus::Counter& {
    return described(prometheus::BuildCounter(), series).Register(*registry_).Add(labels);
  }));
}

Histogram Registry::histogram(const Series& series, const Labels& labels) {
  check(series, Series::Type::histogram, labels);
  const std::vector<double> bounds(series.upper_bounds.begin(), series.upper_bounds.end());
  const bool increasing =
      std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
  if (bounds.empty() || !increasing) {
    throw Error(
        cat("metric ", series.name, ": the bounds of a histogram must be strictly increasing"));
  }
  return Histogram(registered(series, [&]() -> prometheus::Histogram& {
    return described(prometheus::BuildHistogram(), series).Register(*registry_).Add(labels, bounds);
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
