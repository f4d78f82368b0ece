#pragma once

#include <string>
#include <vector>

#include "preflight/places.hpp"

namespace effuse {

/// Ranks in blocks: sizes {2, 3} are ranks 0-1 on node-1 and 2-4 on node-2.
inline Places on_hosts(const std::vector<int>& sizes) {
  Places places;
  for (std::size_t host = 0; host < sizes.size(); ++host) {
    for (int local = 0; local < sizes[host]; ++local) {
      places.push_back({static_cast<int>(places.size()), local, sizes[host],
                        "node-" + std::to_string(host + 1)});
    }
  }
  return places;
}

/// All problems of a finding, one a line.
inline std::string problems_of(const Finding& finding) {
  std::string lines;
  for (const Problem& problem : finding.problems) {
    lines += std::string(verdict_name(problem.verdict)) + ": " + problem.text + "\n";
  }
  return lines;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

#define EXPECT_SAYS(finding, part) \
  EXPECT_TRUE(contains(problems_of(finding), part)) << problems_of(finding)

}  // namespace effuse
