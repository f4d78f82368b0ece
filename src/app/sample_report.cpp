#include "app/sample_report.hpp"

#include "core/temporary_path.hpp"
#include "core/text.hpp"

namespace effuse {

SampleReport::SampleReport(const Config& config, const std::string& host,
                           const std::filesystem::path& set, const Part& part)
    : targets_(set / "metrics" / "targets"),
      images_(registry_.gauge("effuse_sample_images", "Images of the job that are there")),
      target_(registry_.gauge("effuse_sample_images_target", "Images the job will have")),
      rate_(registry_.gauge("effuse_sample_images_per_second",
                            "Images per second over all ranks, since the job began")),
      made_(registry_.counter("effuse_sample_images_total", "Images made by this job")),
      tiles_(registry_.counter("effuse_sample_tiles_total", "Tiles made by this job")),
      served_(std::make_unique<ServedMetrics>(
          registry_, config.metrics, host,
          targets_ / cat("part-", part.number, "-of-", part.of, ".json"),
          metrics::Labels{{"run", without_trailing_slash(set).filename().string()},
                          {"rank", "0"},
                          {"part", cat(part.number, "/", part.of)}})) {}

SampleReport::~SampleReport() {
  served_.reset();
  std::error_code not_empty;  // other parts have theirs there
  std::filesystem::remove(targets_, not_empty);
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
