#include "comm/agreement.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

#include "core/text.hpp"

namespace effuse {
namespace {

/// What became of the work at one rank; on the wire as "code\nmessage", and as "" for success.
struct Outcome {
  bool failed = false;
  ExitCode code = ExitCode::done;
  std::string message;

  bool operator==(const Outcome&) const = default;
};

Outcome attempt(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const CommError&) {
    throw;
  } catch (const Error& error) {
    return {true, error.exit_code(), error.what()};
  } catch (const std::exception& error) {
    return {true, ExitCode::failure, error.what()};
  }
}

std::string to_wire(const Outcome& outcome) {
  return outcome.failed ? cat(static_cast<int>(outcome.code), "\n", outcome.message) : "";
}

Outcome from_wire(const std::string& text) {
  if (text.empty()) return {};
  const std::size_t newline = text.find('\n');
  return {true, static_cast<ExitCode>(std::stoi(text.substr(0, newline))),
          text.substr(newline + 1)};
}

[[noreturn]] void throw_agreed(const std::vector<Outcome>& outcomes) {
  const auto failed = [](const Outcome& outcome) { return outcome.failed; };
  const auto first = std::find_if(outcomes.begin(), outcomes.end(), failed);
  const bool alike = std::all_of(outcomes.begin(), outcomes.end(),
                                 [&](const Outcome& outcome) { return outcome == *first; });
  if (alike) throw AgreedError(first->code, first->message);
  const auto others = std::count_if(first + 1, outcomes.end(), failed);
  throw AgreedError(first->code, cat("rank ", first - outcomes.begin(), ": ", first->message,
                                     others > 0 ? cat(" (and ", others, " other rank",
                                                      others > 1 ? "s" : "", " failed)")
                                                : ""));
}

/// "line 3 is `seed = 1` here, `seed = 0` at rank 0"; "" where the texts are equal.
std::string first_difference(const std::string& here, const std::string& at_rank_0) {
  if (here == at_rank_0) return "";
  std::istringstream left(here), right(at_rank_0);
  std::string left_line, right_line;
  for (int number = 1;; ++number) {
    const bool left_has = static_cast<bool>(std::getline(left, left_line));
    const bool right_has = static_cast<bool>(std::getline(right, right_line));
    if (!left_has) left_line = "(end)";
    if (!right_has) right_line = "(end)";
    if (left_line != right_line || !(left_has && right_has)) {
      return cat("line ", number, " is \"", left_line, "\", at rank 0 \"", right_line, "\"");
    }
  }
}

}  // namespace

void agree(Communicator& communicator, const std::function<void()>& work) {
  std::vector<Outcome> outcomes;
  for (const auto& text : communicator.all_gather_text(to_wire(attempt(work)))) {
    outcomes.push_back(from_wire(text));
  }
  const bool failed = std::any_of(outcomes.begin(), outcomes.end(),
                                  [](const Outcome& outcome) { return outcome.failed; });
  if (failed) throw_agreed(outcomes);
}

void require_same(Communicator& communicator, std::string_view what, const std::string& text) {
  const std::string at_rank_0 = communicator.broadcast_text(text, 0);
  const auto differences = communicator.all_gather_text(first_difference(text, at_rank_0));
  std::string ranks;
  std::string first;
  for (std::size_t k = 0; k < differences.size(); ++k) {
    if (differences[k].empty()) continue;
    ranks += cat(ranks.empty() ? "" : ", ", k);
    if (first.empty()) first = cat("rank ", k, ": ", differences[k]);
  }
  if (!ranks.empty()) {
    throw ConfigError(cat(what, " differs between the ranks (rank 0 against rank ", ranks, "; ",
                          first, "), so they would not compute one result; give all ranks the ",
                          "same files and arguments"));
  }
}

}  // namespace effuse
