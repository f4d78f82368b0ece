#include "report/run_previews.hpp"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "core/text.hpp"
#include "report/counted.hpp"
#include "report/step_in_name.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShrunk = 12;

struct Found {
  std::int64_t step = 0;
  fs::path file;
  std::uint64_t size_bytes = 0;
};

std::vector<Found> find_previews(const fs::path& folder) {
  std::vector<Found> found;
  if (!fs::is_directory(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code gone;
    const auto step = step_in_name(entry.path().filename().string(), ".png");
    const std::uint64_t size_bytes = entry.file_size(gone);
    if (step && !gone) found.push_back({*step, entry.path(), size_bytes});
  }
  std::ranges::sort(found, {}, &Found::step);
  return found;
}

std::uint64_t bytes_of(const std::vector<Found>& found, const std::vector<std::size_t>& chosen) {
  std::uint64_t sum = 0;
  for (const std::size_t i : chosen) sum += found[i].size_bytes;
  return sum;
}

/// As many as fit whole; kShrunk at least.
std::vector<std::size_t> choose(const std::vector<Found>& found, const PreviewBudget& budget) {
  const std::size_t least = std::min(kShrunk, budget.pictures);
  for (std::size_t wanted = std::min(budget.pictures, found.size()); wanted > least; --wanted) {
    auto chosen = evenly_chosen(found.size(), wanted);
    if (bytes_of(found, chosen) <= budget.total_bytes) return chosen;
  }
  return evenly_chosen(found.size(), least);
}

std::string sentence_on(const std::vector<std::int64_t>& unreadable, const std::string& error) {
  const auto count = static_cast<std::int64_t>(unreadable.size());
  if (count == 1) return cat("The preview of step ", unreadable[0], " is left out: ", error, ".");
  return cat(counted(count, "preview"),
             " cannot be read and are left out. The first is that of step ", unreadable[0], ": ",
             error, ".");
}

}  // namespace

std::vector<std::size_t> evenly_chosen(std::size_t count, std::size_t wanted) {
  std::vector<std::size_t> chosen;
  const std::size_t number = std::min(count, wanted);
  if (number == 1) return {count - 1};
  for (std::size_t i = 0; i < number; ++i) {
    chosen.push_back((i * (count - 1) + (number - 1) / 2) / (number - 1));
  }
  return chosen;
}

RunPreviews read_run_previews(const fs::path& folder, const PreviewBudget& budget,
                              Problems& problems) {
  const std::vector<Found> found = find_previews(folder);
  RunPreviews previews{
      .found = static_cast<std::int64_t>(found.size()), .unreadable = {}, .shown = {}};
  const std::vector<std::size_t> chosen = choose(found, budget);
  const bool fits = bytes_of(found, chosen) <= budget.total_bytes;
  const std::uint64_t limit_bytes =
      fits ? budget.total_bytes : budget.total_bytes / std::max<std::size_t>(chosen.size(), 1);
  std::string first_error;
  for (const std::size_t i : chosen) {
    try {
      previews.shown.push_back({found[i].step, embed_picture(found[i].file, limit_bytes)});
    } catch (const std::exception& error) {
      if (previews.unreadable.empty()) first_error = error.what();
      previews.unreadable.push_back(found[i].step);
    }
  }
  if (!previews.unreadable.empty()) {
    problems.push_back(sentence_on(previews.unreadable, first_error));
  }
  return previews;
}

}  // namespace effuse
