#include "app/tensorboard_previews.hpp"

#include <exception>
#include <span>
#include <utility>

#include "core/files.hpp"
#include "core/log.hpp"
#include "image/png.hpp"

namespace effuse {

TensorBoardPreviews::TensorBoardPreviews(metrics::EventFile& events, const RunFolder& folder,
                                         std::int64_t every_steps)
    : events_(events), folder_(folder), every_steps_(every_steps) {}

void TensorBoardPreviews::before_training(std::int64_t steps_done) {
  if (steps_done == 0) write_preview(0);
}

void TensorBoardPreviews::after_step(const StepReport& report) {
  if (every_steps_ > 0 && report.step % every_steps_ == 0) write_preview(report.step);
}

void TensorBoardPreviews::after_training(std::int64_t steps_done, TrainingEnd) {
  write_preview(steps_done);
}

void TensorBoardPreviews::write_preview(std::int64_t step) {
  const std::filesystem::path file = folder_.preview(step);
  if (step == last_ || !std::filesystem::exists(file)) return;
  last_ = step;
  try {
    std::string png = read_file(file);
    const Image image = decode_png(std::as_bytes(std::span(png)));
    events_.picture("previews", step, {std::move(png), image.height, image.width});
    events_.flush();
  } catch (const std::exception& error) {
    log::warning("the preview of step ", step, " is not in TensorBoard: ", error.what());
  }
}

}  // namespace effuse
