#include "training/duration.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

std::int64_t total_steps(const RunConfig& run, std::int64_t dataset_size) {
  const int given = (run.steps > 0) + (run.images > 0) + (run.epochs > 0);
  if (given != 1) {
    throw ConfigError(cat("the duration of the run is ", given == 0 ? "missing" : "given twice",
                          " (run.steps = ", run.steps, ", run.images = ", run.images,
                          ", run.epochs = ", run.epochs,
                          "). Set exactly one of them, as in "
                          "--set run.steps=20000."));
  }
  if (run.steps > 0) return run.steps;
  const std::int64_t images = run.images > 0 ? run.images : run.epochs * dataset_size;
  return images / run.batch_size + (images % run.batch_size > 0 ? 1 : 0);
}

}  // namespace effuse
