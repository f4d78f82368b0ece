#pragma once

#include <span>

namespace effuse {

struct MeanDeviation {
  double mean = 0.0;
  double deviation =
      0.0;  ///< of the population: divided by the number of values, as numpy.std does
};

/// Of at least one value, in their order.
MeanDeviation mean_deviation(std::span<const double> values);

}  // namespace effuse
