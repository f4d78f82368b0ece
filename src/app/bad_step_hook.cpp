#include "app/bad_step_hook.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/zero_padded.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no numbers that are not finite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(cat(value)); }

}  // namespace

BadStepHook::BadStepHook(BatchSource source, std::filesystem::path folder)
    : source_(std::move(source)), folder_(std::move(folder)) {}

void BadStepHook::after_step(const StepReport& report) {
  if (report.good) return;
  if (report.overflowed()) {
    log::debug("step ", report.step, " overflowed at a loss scale of ", report.loss_scale,
               " and was skipped");
    return;
  }
  log::warning("step ", report.step, " was skipped: its loss is ", report.loss,
               ", its gradient norm ", report.grad_norm, "; its images are in ", folder_.string());
  write(report);
}

void BadStepHook::write(const StepReport& report) const {
  const Json json{{"step", report.step},
                  {"loss", number(report.loss)},
                  {"grad_norm", number(report.grad_norm)},
                  {"first_position", report.images - source_.batch_size()},
                  {"images", source_.global_indices(report.step - 1)}};
  try {
    std::filesystem::create_directories(folder_);
    write_file_atomically(folder_ / cat("step-", zero_padded(report.step, 8), ".json"),
                          json.dump() + "\n");
  } catch (const std::exception& error) {
    log::warning("the images of step ", report.step, " could not be written: ", error.what());
  }
}

}  // namespace effuse
