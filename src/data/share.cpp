#include "data/share.hpp"

#include <algorithm>

namespace effuse {

Share share_of(std::int64_t whole, std::int64_t part, std::int64_t parts) {
  const std::int64_t each = whole / parts;
  const std::int64_t rest = whole % parts;
  return {part * each + std::min(part, rest), each + (part < rest ? 1 : 0)};
}

std::int64_t micro_steps_of(std::int64_t batch_size, int world_size, std::int64_t micro_batch,
                            std::int64_t accumulation_steps) {
  const std::int64_t largest_share = (batch_size + world_size - 1) / world_size;
  if (accumulation_steps > 0) return std::min(accumulation_steps, largest_share);
  if (micro_batch <= 0) return 1;
  return std::max<std::int64_t>(1, (largest_share + micro_batch - 1) / micro_batch);
}

}  // namespace effuse
