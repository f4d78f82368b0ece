#include "report/restarts.hpp"

#include <algorithm>

namespace effuse {
namespace {

Continuation continuation(const RunGoodput::Kept& before, const RunGoodput::Kept& after) {
  if (before.attempt == 0 || after.attempt == 0) return Continuation::unknown;
  return before.attempt == after.attempt ? Continuation::restore : Continuation::attempt;
}

}  // namespace

std::vector<Restart> find_restarts(const std::optional<RunGoodput>& goodput) {
  std::vector<Restart> restarts;
  if (!goodput) return restarts;
  const auto& kept = goodput->kept;
  for (std::size_t i = 1; i < kept.size(); ++i) {
    restarts.push_back({.after_step = kept[i].after, .by = continuation(kept[i - 1], kept[i])});
  }
  std::ranges::sort(restarts, {}, &Restart::after_step);
  return restarts;
}

}  // namespace effuse
