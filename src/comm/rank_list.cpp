#include "comm/rank_list.hpp"

#include <vector>

#include "core/text.hpp"

namespace effuse {

std::string rank_list(std::span<const int> ranks) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t run = 1;
    while (i + run < ranks.size() && ranks[i + run] == ranks[i] + static_cast<int>(run)) ++run;
    if (run < 3) run = 1;
    parts.push_back(run == 1 ? cat(ranks[i]) : cat(ranks[i], " to ", ranks[i + run - 1]));
    i += run;
  }
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

}  // namespace effuse
