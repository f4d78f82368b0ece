#include "evaluation/statistics_cache.hpp"

#include <exception>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "evaluation/statistics_file.hpp"

namespace effuse {

StatisticsCache::StatisticsCache(const std::filesystem::path& dataset, FeatureOrigin origin,
                                 std::string images)
    : origin_(std::move(origin)),
      images_(std::move(images)),
      file_(dataset / "statistics" /
            cat(origin_.sha256.substr(0, 16), origin_.convention.empty() ? "" : "-",
                origin_.convention, ".npz")) {}

std::optional<Moments> StatisticsCache::find() const {
  try {
    if (!std::filesystem::exists(file_)) return std::nullopt;
    Statistics statistics = read_statistics(file_);
    const bool are_ours = statistics.images == images_ && statistics.origin == origin_;
    if (are_ours && statistics.moments) return std::move(statistics.moments);
    log::warning(file_.string(), " is of other images or another network. It is made again.");
  } catch (const std::exception& error) {
    log::warning(error.what(), ". The statistics of the reference are made again.");
  }
  return std::nullopt;
}

void StatisticsCache::keep(const Moments& moments) const {
  try {
    write_statistics(file_, moments, origin_, images_);
    log::info("statistics of the reference kept in ", file_.string());
  } catch (const std::exception& error) {
    log::warning("statistics of the reference are not kept for the next time: ", error.what());
  }
}

}  // namespace effuse
