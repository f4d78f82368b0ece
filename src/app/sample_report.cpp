#include "app/sample_report.hpp"

#include "app/environment.hpp"
#include "app/job_identity.hpp"
#include "core/process_memory.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"

namespace effuse {

using metrics::series;

SampleReport::SampleReport(const Config& config, const std::string& host,
                           const std::filesystem::path& set, const Part& part)
    : targets_(set / "metrics" / "targets"),
      mark_(set / "metrics" / "identity"),
      images_(registry_.gauge(series("effuse_sample_images"))),
      target_(registry_.gauge(series("effuse_sample_images_target"))),
      rate_(registry_.gauge(series("effuse_sample_images_per_second"))),
      resident_(registry_.gauge(series("effuse_memory_resident_bytes"))),
      made_(registry_.counter(series("effuse_sample_images_total"))),
      tiles_(registry_.counter(series("effuse_sample_tiles_total"))) {
  describe_build(registry_);
  const std::string name = without_trailing_slash(set).filename().string();
  const std::string file = cat("part-", part.number, "-of-", part.of);
  const JobIdentity identity("effuse-sample", name, set,
                             config.metrics.exporter ? mark_of_folder(mark_) : "");
  if (config.metrics.exporter) identity.warn_of_namesake(config.metrics.targets);
  metrics::Labels labels = identity.labels(/*rank=*/0);
  labels["part"] = cat(part.number, "/", part.of);
  served_ = std::make_unique<ServedMetrics>(
      registry_, config.metrics,
      ServedMetrics::Place{.host = host,
                           .target_file = targets_ / (file + ".json"),
                           .name = cat(identity.file_name(), ".", file),
                           .labels = labels});
}

SampleReport::~SampleReport() {
  served_.reset();
  std::error_code not_empty;  // other parts have theirs there
  if (!std::filesystem::remove(targets_, not_empty)) return;
  std::filesystem::remove(mark_, not_empty);
  std::filesystem::remove(targets_.parent_path(), not_empty);
}

double SampleReport::images_per_second(const BulkProgress& progress) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  return seconds > 0 ? static_cast<double>(progress.made) / seconds : 0;
}

void SampleReport::show(const BulkProgress& progress) {
  if (!progress_) {
    began_ = Clock::now();
    progress_.emplace(Progress::Options{.task = "sample",
                                        .unit = "images",
                                        .total = static_cast<std::uint64_t>(progress.total),
                                        .start = static_cast<std::uint64_t>(progress.images),
                                        .style = progress_style(0)});
  }
  const double rate = images_per_second(progress);
  images_.set(static_cast<double>(progress.images));
  target_.set(static_cast<double>(progress.total));
  rate_.set(rate);
  if (rate > 0) {
    registry_.gauge(series("effuse_sample_time_left_seconds"))
        .set(static_cast<double>(progress.total - progress.images) / rate);
  }
  resident_.set(resident_bytes());
  made_.add(static_cast<double>(progress.made - last_.made));
  tiles_.add(static_cast<double>(progress.tiles - last_.tiles));
  last_ = progress;
  progress_->update(static_cast<std::uint64_t>(progress.images),
                    cat(fixed(rate, rate < 10 ? 2 : 0), " images/s"));
}

void SampleReport::finish() {
  if (progress_) progress_->finish();
}

}  // namespace effuse
