#include "evaluation/draw.hpp"

#include <numeric>
#include <utility>

namespace effuse {

std::vector<std::int64_t> draw_without_replacement(RandomStream& random, std::int64_t number,
                                                   std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  const auto size = static_cast<std::size_t>(number);
  for (std::size_t i = 0; i < size; ++i) {
    const auto left = static_cast<std::uint32_t>(indices.size() - i);
    std::swap(indices[i], indices[i + random.below(left)]);
  }
  indices.resize(size);
  return indices;
}

}  // namespace effuse
