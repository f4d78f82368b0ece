#include "generation/class_spread.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

#include "core/error.hpp"

namespace effuse {
namespace {

struct Claim {
  std::int64_t label = 0;
  std::int64_t count = 0;
  std::int64_t divisor = 1;
};

/// Whether `a` comes after `b`, compared exactly.
bool is_weaker(const Claim& a, const Claim& b) {
  __extension__ using Wide = __int128;
  const Wide left = static_cast<Wide>(a.count) * b.divisor;
  const Wide right = static_cast<Wide>(b.count) * a.divisor;
  return left != right ? left < right : a.label > b.label;
}

}  // namespace

std::vector<std::int64_t> spread_classes(std::span<const std::int64_t> counts,
                                         std::int64_t images) {
  std::priority_queue<Claim, std::vector<Claim>, decltype(&is_weaker)> claims(&is_weaker);
  for (std::size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] < 0) throw Error("a class cannot have fewer than no images");
    if (counts[label] > 0) claims.push({static_cast<std::int64_t>(label), counts[label], 1});
  }
  if (claims.empty()) throw Error("no class has any images");
  const std::int64_t period = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  std::vector<std::int64_t> classes;
  for (std::int64_t i = 0; i < std::min(images, period); ++i) {
    Claim strongest = claims.top();
    claims.pop();
    classes.push_back(strongest.label);
    strongest.divisor += 2;
    claims.push(strongest);
  }
  return classes;
}

}  // namespace effuse
