#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "metrics/catalogue.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

/// What a run tells Prometheus about itself.
namespace effuse::metrics {

using Labels = std::map<std::string, std::string>;

/// A value that goes up and down. A handle: cheap to copy, valid as long as its Registry or an
/// Exporter of it; updates are atomic and cost nanoseconds, from any thread.
class Gauge {
 public:
  void set(double value);
  void add(double amount);

 private:
  friend class Registry;
  explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
  prometheus::Gauge* series_;
};

/// A total that only grows. A handle, as Gauge.
class Counter {
 public:
  /// A negative amount is ignored.
  void add(double amount = 1.0);
  double value() const;

 private:
  friend class Registry;
  explicit Counter(prometheus::Counter& series) : series_(&series) {}
  prometheus::Counter* series_;
};

/// Counts of values by size. A handle, as Gauge; an update takes a short lock.
class Histogram {
 public:
  void observe(double value);

 private:
  friend class Registry;
  explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
  prometheus::Histogram* series_;
};

/// All series of one process. Asking for a series takes locks and is for start-up; keep the handle.
/// The same name and labels give the same series.
///
/// Names follow Prometheus' conventions, and an Error says which is broken: lower-case with the
/// prefix effuse_, base units, counters alone end in _total, labels as the series declares them.
/// What identifies the process (run, rank, host) is no label of a series: it is said once, by the
/// scrape target's labels or by text(identity); set in both places Prometheus would rename one to
/// exported_….
/// Safe for use from several threads.
class Registry {
 public:
  Registry();

  Gauge gauge(const Series& series, const Labels& labels = {});
  Counter counter(const Series& series, const Labels& labels = {});

  /// A bucket for everything above the last bound is added.
  Histogram histogram(const Series& series, const Labels& labels = {});

  /// All series in Prometheus' text format, sorted by name, each with `identity` added.
  std::string text(const Labels& identity = {}) const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
};

}  // namespace effuse::metrics
