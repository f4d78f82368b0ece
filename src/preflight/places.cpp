#include "preflight/places.hpp"

#include <algorithm>
#include <set>

#include "comm/plain_message.hpp"
#include "core/text.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

constexpr std::size_t kRangesNamed = 8;
constexpr std::size_t kHostsNamed = 3;
constexpr std::size_t kProblemsNamed = 8;

/// "0-7, 9", after some ranges "and 12 more".
std::string ranges(std::span<const int> ranks) {
  std::string text;
  std::size_t named = 0;
  for (std::size_t begin = 0; begin < ranks.size(); ++named) {
    if (named == kRangesNamed) return cat(text, " and ", ranks.size() - begin, " more");
    std::size_t end = begin + 1;
    while (end < ranks.size() && ranks[end] == ranks[end - 1] + 1) ++end;
    text += cat(begin == 0 ? "" : ", ", ranks[begin]);
    if (end - begin > 1) text += cat("-", ranks[end - 1]);
    begin = end;
  }
  return text;
}

std::string hosts_of(const Places& places, std::span<const int> ranks) {
  std::set<std::string> seen;
  std::string text;
  for (const int rank : ranks) {
    const std::string& host = places[static_cast<std::size_t>(rank)].host;
    if (!seen.insert(host).second) continue;
    text += (text.empty() ? "" : ", ") + host;
  }
  return seen.size() > kHostsNamed ? cat(seen.size(), " hosts") : text;
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Place, rank, local_rank, local_size, host)

Places gather_places(Communicator& comm, const Session& session) {
  return gather(comm,
                Place{session.rank(), session.local_rank(), session.local_size(), session.host()});
}

std::map<std::string, std::vector<int>> ranks_by_host(const Places& places) {
  std::map<std::string, std::vector<int>> ranks;
  for (const Place& place : places) ranks[place.host].push_back(place.rank);
  return ranks;
}

std::string name_ranks(const Places& places, std::span<const int> ranks) {
  if (ranks.size() == places.size() && ranks.size() > 1) return cat("all ", ranks.size(), " ranks");
  return cat(ranks.size() == 1 ? "rank " : "ranks ", ranges(ranks), " (", hosts_of(places, ranks),
             ")");
}

std::vector<Problem> problems_from(const Places& places, std::span<const Complaint> complaints,
                                   Verdict verdict) {
  std::vector<std::string> texts;  // in the order of their first rank
  std::map<std::string, std::set<int>> ranks_of;
  for (const Complaint& complaint : complaints) {
    std::set<int>& ranks = ranks_of[complaint.text];
    if (ranks.empty()) texts.push_back(complaint.text);
    ranks.insert(complaint.rank);
  }
  std::vector<Problem> problems;
  for (const std::string& text : texts) {
    if (problems.size() == kProblemsNamed) {
      problems.push_back({verdict, cat("and ", texts.size() - kProblemsNamed, " more")});
      break;
    }
    const std::vector<int> ranks(ranks_of[text].begin(), ranks_of[text].end());
    problems.push_back({verdict, cat(name_ranks(places, ranks), ": ", text)});
  }
  return problems;
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    const std::string message = plain_message(error);
    return message.empty() ? "unknown failure" : message;
  }
  return {};
}

}  // namespace effuse
