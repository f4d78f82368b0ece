#include "comm/agreement.hpp"

#include <algorithm>
#include <vector>

#include "comm/plain_message.hpp"
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
    return {true, ExitCode::failure, plain_message(error)};
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

}  // namespace effuse
