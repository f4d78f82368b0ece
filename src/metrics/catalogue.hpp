#pragma once

#include <span>
#include <string_view>

namespace effuse::metrics {

/// One name under which Effuse exports numbers.
struct Series {
  enum class Type { gauge, counter, histogram };
  enum class ServedBy { every_rank, rank_0 };

  std::string_view name;
  Type type = Type::gauge;
  std::string_view help;
  std::string_view labels{};  ///< their names, separated by ", "
  std::string_view group{};   ///< of the tables in docs/metrics.md
  ServedBy served_by = ServedBy::rank_0;
  std::span<const double> upper_bounds{};  ///< of a histogram, strictly increasing
};

/// All of them: the one place where they are named and described. docs/metrics.md is made from it.
std::span<const Series> catalogue();

/// That of a name. Throws Error for one that is not in the catalogue.
const Series& series(std::string_view name);

}  // namespace effuse::metrics
