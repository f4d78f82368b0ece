#include "preflight/finding.hpp"

#include <algorithm>

namespace effuse {

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::left_out:
      return "left out";
    case Verdict::warning:
      return "warning";
    case Verdict::failed:
      return "FAILED";
  }
  return "unknown";
}

Verdict Finding::verdict() const {
  Verdict gravest = is_left_out ? Verdict::left_out : Verdict::ok;
  for (const Problem& problem : problems) gravest = std::max(gravest, problem.verdict);
  return gravest;
}

std::size_t count_verdicts(std::span<const Finding> findings, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.verdict() == verdict; }));
}

}  // namespace effuse
