#include "training/interval_logs.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "core/unix_time.hpp"

namespace effuse {
namespace {

/// JSON's null where there is none.
std::vector<double> list_of(
    const std::array<std::optional<double>, TimestepLosses::kRanges>& means) {
  std::vector<double> list;
  for (const auto& mean : means) {
    list.push_back(mean.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return list;
}

}  // namespace

void JsonlLog::after_interval(const StepReport& last, const Interval& interval) {
  writer_.write({{"step", last.step},
                 {"images", last.images},
                 {"epoch", last.epoch},
                 {"loss", last.loss},
                 {"grad_norm", last.grad_norm},
                 {"lr", last.lr},
                 {"good", last.good},
                 {"time_s", unix_time_s()},
                 {"images_per_s", interval.images_per_s},
                 {"timestep_loss", list_of(interval.losses.means())},
                 {"ema_decay", last.ema_decay},
                 {"loss_scale", last.loss_scale},
                 {"data_wait_s", last.data_wait_s},
                 {"upload_s", last.upload_s},
                 {"forward_s", last.forward_s},
                 {"backward_s", last.backward_s},
                 {"exposed_communication_s", last.exposed_s},
                 {"communication_s", last.communication_s},
                 {"update_s", last.update_s}});
}

TensorBoardLog::TensorBoardLog(metrics::EventFile& events, std::int64_t timesteps)
    : events_(events), timesteps_(timesteps) {}

void TensorBoardLog::after_interval(const StepReport& last, const Interval& interval) {
  const std::pair<const char*, double> scalars[] = {
      {"train/loss", last.loss},
      {"train/grad_norm", last.grad_norm},
      {"train/learning_rate", last.lr},
      {"train/ema_decay", last.ema_decay},
      {"train/loss_scale", last.loss_scale},
      {"train/epoch", static_cast<double>(last.epoch)},
      {"speed/images_per_second", interval.images_per_s},
      {"time/data_wait", last.data_wait_s},
      {"time/upload", last.upload_s},
      {"time/forward", last.forward_s},
      {"time/backward", last.backward_s},
      {"time/exposed_communication", last.exposed_s},
      {"time/update", last.update_s}};
  for (const auto& [tag, value] : scalars) events_.scalar(tag, last.step, value);
  const auto means = interval.losses.means();
  const auto ranges = timestep_ranges(timesteps_);
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (means[i]) events_.scalar(cat("timestep_loss/", ranges[i]), last.step, *means[i]);
  }
  events_.histogram("train/grad_norms", last.step, interval.grad_norms);
  events_.flush();
}

}  // namespace effuse
