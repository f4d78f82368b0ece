#include "evaluation/block_loop.hpp"

#include <ATen/Parallel.h>

#include <algorithm>

namespace effuse {

void for_each_block(std::int64_t count, const std::function<void(std::int64_t)>& work) {
  // One block alone would run outside any parallel region, and a matrix product in it on all
  // threads: there are always two, the second of which may be empty.
  at::parallel_for(0, std::max<std::int64_t>(count, 2), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t block = begin; block < std::min(end, count); ++block)
                       work(block);
                   });
}

}  // namespace effuse
