#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace effuse {

/// What a line of train.jsonl has numbers of that are drawn as curves, by the names of its fields.
inline constexpr std::array kLogSeries{"loss",
                                       "grad_norm",
                                       "lr",
                                       "images_per_s",
                                       "ema_decay",
                                       "loss_scale",
                                       "data_wait_s",
                                       "upload_s",
                                       "forward_s",
                                       "backward_s",
                                       "exposed_communication_s",
                                       "communication_s",
                                       "update_s"};
inline constexpr std::size_t kTenths = 10;  ///< equal ranges of time steps, of timestep_loss
inline constexpr std::size_t kSeries = kLogSeries.size() + kTenths;

/// One line of train.jsonl. A number that is absent or null is NaN.
struct LogLine {
  static constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

  std::int64_t step = 0;
  std::int64_t images = 0;
  double time_s = kAbsent;             ///< Unix time
  bool good = true;                    ///< false: the step was skipped
  std::array<double, kSeries> values;  ///< as kLogSeries, then timestep_loss

  LogLine() { values.fill(kAbsent); }
};

/// Reads lines, one after the other, some million in a second or two.
class LogLineParser {
 public:
  LogLineParser();
  ~LogLineParser();

  /// Reads one line into `line`, whatever was there before. False where it is no whole JSON object
  /// with a step. Fields that it does not know are passed over.
  bool parse(const std::string& text, LogLine& line);

 private:
  struct Json;
  std::unique_ptr<Json> json_;
};

}  // namespace effuse
