#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "report/picture.hpp"
#include "report/run_documents.hpp"

namespace effuse {

struct RunPreview {
  std::int64_t step = 0;
  EmbeddedPicture picture;
};

/// Those that are neither shown nor unreadable were left out for the budget.
struct RunPreviews {
  std::int64_t found = 0;
  std::vector<std::int64_t> unreadable;  ///< steps of those that were chosen, but are damaged
  std::vector<RunPreview> shown;         ///< by step
};

/// What a page may hold of a run's previews.
struct PreviewBudget {
  std::size_t pictures = 60;
  std::uint64_t total_bytes = 3 << 20;
};

/// `wanted` of the numbers 0 … count − 1, as evenly as can be, the first and the last among them;
/// all where there are no more.
std::vector<std::size_t> evenly_chosen(std::size_t count, std::size_t wanted);

/// Those of `folder` that fit the budget, evenly chosen. Where they are so large that not even
/// twelve would fit, twelve are shrunk. Those that cannot be read are left out, with one sentence
/// in `problems` that names the first.
RunPreviews read_run_previews(const std::filesystem::path& folder, const PreviewBudget& budget,
                              Problems& problems);

}  // namespace effuse
