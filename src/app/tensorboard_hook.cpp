#include "app/tensorboard_hook.hpp"

#include <exception>
#include <span>
#include <utility>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "image/png.hpp"

namespace effuse {

TensorBoardHook::TensorBoardHook(metrics::EventFile& events, const RunFolder& folder,
                                 const Run& run)
    : events_(events), folder_(folder), run_(run) {}

void TensorBoardHook::before_training(std::int64_t steps_done) {
  scalars_s_ = steady_time_s();
  if (steps_done == 0) write_preview(0);
}

void TensorBoardHook::after_step(const StepReport& report) {
  grad_norms_.push_back(report.grad_norm);
  losses_.add(report.timestep_losses);
  if (run_.preview_every_steps > 0 && report.step % run_.preview_every_steps == 0) {
    write_preview(report.step);
  }
  if (report.step % run_.log_every_steps == 0) write_scalars(report);
}

void TensorBoardHook::after_training(std::int64_t steps_done, TrainingEnd) {
  write_preview(steps_done);
  events_.flush();
}

void TensorBoardHook::write_scalars(const StepReport& report) {
  const auto steps = static_cast<double>(grad_norms_.size());
  const double seconds = report.ended_s - std::exchange(scalars_s_, report.ended_s);
  const std::pair<const char*, double> scalars[] = {
      {"train/loss", report.loss},
      {"train/grad_norm", report.grad_norm},
      {"train/learning_rate", report.lr},
      {"train/ema_decay", report.ema_decay},
      {"train/loss_scale", report.loss_scale},
      {"train/epoch", static_cast<double>(report.epoch)},
      {"speed/images_per_second", steps * static_cast<double>(run_.batch_size) / seconds},
      {"time/data_wait", report.data_wait_s},
      {"time/upload", report.upload_s},
      {"time/forward", report.forward_s},
      {"time/backward", report.backward_s},
      {"time/exposed_communication", report.exposed_s},
      {"time/update", report.update_s}};
  for (const auto& [tag, value] : scalars) events_.scalar(tag, report.step, value);
  const auto means = std::exchange(losses_, {}).means();
  const auto ranges = timestep_ranges(run_.timesteps);
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (means[i]) events_.scalar(cat("timestep_loss/", ranges[i]), report.step, *means[i]);
  }
  events_.histogram("train/grad_norms", report.step, std::exchange(grad_norms_, {}));
  events_.flush();
}

void TensorBoardHook::write_preview(std::int64_t step) {
  const std::filesystem::path file = folder_.preview(step);
  if (step == last_preview_ || !std::filesystem::exists(file)) return;
  last_preview_ = step;
  try {
    std::string png = read_file(file);
    const Image image = decode_png(std::as_bytes(std::span(png)));
    events_.picture("previews", step, {std::move(png), image.height, image.width});
  } catch (const std::exception& error) {
    log::warning("the preview of step ", step, " is not in TensorBoard: ", error.what());
  }
}

}  // namespace effuse
