#pragma once

#include <span>
#include <string>
#include <vector>

namespace effuse {

/// By gravity.
enum class Verdict { ok, left_out, warning, failed };

/// "ok", "left out", "warning", "FAILED".
const char* verdict_name(Verdict verdict);

/// Something that is not as it should be: what and where, why it matters, what to do.
struct Problem {
  Verdict verdict = Verdict::failed;  ///< warning or failed
  std::string text;
};

/// What one check found.
struct Finding {
  std::string check{};   ///< "disk"
  std::string result{};  ///< what was found, in a few words
  std::vector<Problem> problems{};
  std::vector<std::string> details{};  ///< lines of a small table, for who wants to know more
  bool is_left_out = false;            ///< could not or need not be checked; `result` says why

  /// The gravest of its problems.
  Verdict verdict() const;

  void add(const std::vector<Problem>& more) {
    problems.insert(problems.end(), more.begin(), more.end());
  }
};

/// How many findings have this verdict.
std::size_t count_verdicts(std::span<const Finding> findings, Verdict verdict);

}  // namespace effuse
