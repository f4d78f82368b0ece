#include "data/damaged_images.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

DamagedImages::DamagedImages(std::int64_t limit, Report report)
    : limit_(limit), report_(std::move(report)) {}

void DamagedImages::add(std::int64_t image, const std::string& damage) {
  const std::lock_guard lock(mutex_);
  if (!images_.insert(image).second) return;
  const auto count = static_cast<std::int64_t>(images_.size());
  if (count > limit_) {
    throw DataError(cat(damage, limit_ == 0 ? " (data.max_bad_share allows no damaged image here)"
                                            : cat(" (and ", count - 1,
                                                  " more, all that "
                                                  "data.max_bad_share allows)")));
  }
  if (report_) report_(image, damage);
}

std::int64_t DamagedImages::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(images_.size());
}

}  // namespace effuse
