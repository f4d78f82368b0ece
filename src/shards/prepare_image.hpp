#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shards/pack_plan.hpp"

namespace effuse {

/// A source image as it will lie in the shard, or why it cannot.
struct PreparedImage {
  std::vector<std::uint8_t> pixels;
  std::uint32_t crc = 0;
  std::string problem;  ///< empty: none
};

/// Reads, decodes and fits an image. What is wrong with it is in the result. Any thread.
PreparedImage prepare(const PackPlan& plan, const SourceImage& source);

}  // namespace effuse
