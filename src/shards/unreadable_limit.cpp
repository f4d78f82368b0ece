#include "shards/unreadable_limit.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "core/text.hpp"

namespace effuse {
namespace {

std::string first_of(const std::vector<UnreadableImage>& unreadable) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, unreadable.size()); ++i) {
    text += cat(i == 0 ? "" : "; ", unreadable[i].path, ": ", unreadable[i].reason);
  }
  return unreadable.size() > kShown ? text + "; …" : text;
}

}  // namespace

bool too_many(const PackPlan& plan, const std::vector<UnreadableImage>& unreadable) {
  return std::ssize(unreadable) > plan.bad_allowed();
}

DataError too_many_error(const PackPlan& plan, const std::vector<UnreadableImage>& unreadable,
                         const std::filesystem::path& list) {
  return DataError(cat(unreadable.size(), " of ", plan.source.images.size(),
                       " images cannot be read, more than pack.max_bad_share = ",
                       plan.max_bad_share, " allows: ", first_of(unreadable), ". ", list.string(),
                       " lists those found so far. Repair or remove them, or give a larger ",
                       "--max-bad-share to leave them out."));
}

DataError none_readable_error(const PackPlan& plan,
                              const std::vector<UnreadableImage>& unreadable) {
  return DataError(cat("none of the ", plan.source.images.size(), " images in ",
                       plan.source.folder.string(), " can be read: ", first_of(unreadable)));
}

}  // namespace effuse
