// Prints the catalogue of metrics as the tables of docs/metrics.md: for each group a line with its
// name, then the rows.

#include <iostream>
#include <string_view>

#include "metrics/catalogue.hpp"

namespace {

using effuse::metrics::Series;

std::string_view name_of(Series::Type type) {
  switch (type) {
    case Series::Type::gauge:
      return "gauge";
    case Series::Type::counter:
      return "counter";
    case Series::Type::histogram:
      return "histogram";
  }
  return "";
}

void print_row(const Series& series) {
  std::cout << "| `" << series.name << "` | " << name_of(series.type) << " | " << series.labels
            << " | " << (series.served_by == Series::ServedBy::rank_0 ? "0" : "every") << " | "
            << series.help << " |\n";
}

}  // namespace

int main() {
  std::string_view group;
  for (const Series& series : effuse::metrics::catalogue()) {
    if (series.group != group) {
      group = series.group;
      std::cout << "group " << group << "\n"
                << "| series | type | labels | rank | content |\n|---|---|---|---|---|\n";
    }
    print_row(series);
  }
}
