#include "preflight/table.hpp"

#include <sstream>

#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::size_t kCheckWidth = 12;
constexpr std::size_t kVerdictWidth = 10;
constexpr std::size_t kIndent = kCheckWidth + kVerdictWidth;
constexpr std::size_t kLineWidth = 100;

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

/// `first` and the words of `text` after it; further lines are indented.
std::string wrapped(std::string first, const std::string& text) {
  std::string lines;
  std::string line = std::move(first);
  bool is_empty = true;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!is_empty && line.size() + 1 + word.size() > kLineWidth) {
      lines += line + "\n";
      line = std::string(kIndent, ' ');
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + word;
    is_empty = false;
  }
  return lines + line + "\n";
}

std::string counted(std::size_t number, const std::string& what) {
  return cat(number, " ", what, number == 1 ? "" : "s");
}

}  // namespace

std::string table_head() {
  return padded("check", kCheckWidth) + padded("state", kVerdictWidth) + "result\n";
}

std::string table_row(const Finding& finding) {
  std::string row = wrapped(
      padded(finding.check, kCheckWidth) + padded(verdict_name(finding.verdict()), kVerdictWidth),
      finding.result);
  const std::string indent(kIndent, ' ');
  for (const std::string& detail : finding.details) row += indent + detail + "\n";
  for (const Problem& problem : finding.problems) {
    // Where failures and warnings stand together it has to be said which is which.
    const bool graver_elsewhere = problem.verdict != finding.verdict();
    row += wrapped(indent, (graver_elsewhere ? "warning: " : "") + problem.text);
  }
  return row;
}

std::string table_conclusion(std::span<const Finding> findings) {
  const std::size_t failed = count_verdicts(findings, Verdict::failed);
  if (failed > 0) return cat("not fit: ", counted(failed, "check"), " failed\n");
  const std::size_t warnings = count_verdicts(findings, Verdict::warning);
  return warnings == 0 ? "fit to train\n"
                       : cat("fit to train (", counted(warnings, "warning"), ")\n");
}

}  // namespace effuse
