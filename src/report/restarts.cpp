#include "report/restarts.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace effuse {
namespace {

/// What effuse-train says where it goes on, with the step behind it.
constexpr std::string_view kAttempt = "continuing after step ";
constexpr std::string_view kRestore = "back to the checkpoint of step ";

/// "1,990" at the begin of `text`; -1 where there is no number.
std::int64_t leading_count(std::string_view text) {
  std::int64_t count = -1;
  for (const char c : text) {
    if (c == ',') continue;
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) break;
    count = 10 * std::max<std::int64_t>(count, 0) + (c - '0');
  }
  return count;
}

/// By step, what last went on there: the progress of those before it was lost.
std::map<std::int64_t, Continuation> continuations_in(const std::filesystem::path& messages) {
  std::map<std::int64_t, Continuation> found;
  std::ifstream in(messages, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    const std::string_view text = line;
    for (const auto& [phrase, by] :
         {std::pair(kAttempt, Continuation::attempt), std::pair(kRestore, Continuation::restore)}) {
      const std::size_t place = text.find(phrase);
      if (place == text.npos) continue;
      found[leading_count(text.substr(place + phrase.size()))] = by;
    }
  }
  return found;
}

}  // namespace

std::vector<Restart> find_restarts(const std::optional<RunGoodput>& goodput,
                                   const std::filesystem::path& messages) {
  std::vector<Restart> restarts;
  if (!goodput || goodput->kept.size() < 2) return restarts;
  const bool no_restores = goodput->bad_steps == 0;
  const bool no_restarts = goodput->attempts == 1;
  std::map<std::int64_t, Continuation> said;
  if (!no_restores && !no_restarts) said = continuations_in(messages);
  for (std::size_t i = 1; i < goodput->kept.size(); ++i) {
    Restart restart{.after_step = goodput->kept[i].after};
    if (const auto found = said.find(restart.after_step); found != said.end()) {
      restart.by = found->second;
    }
    if (no_restores) restart.by = Continuation::attempt;
    if (no_restarts) restart.by = Continuation::restore;
    restarts.push_back(restart);
  }
  std::ranges::sort(restarts, {}, &Restart::after_step);
  return restarts;
}

}  // namespace effuse
