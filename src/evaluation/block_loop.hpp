#pragma once

#include <cstdint>
#include <functional>

namespace effuse {

/// Calls work(0) … work(count - 1) on all threads, in any order, each within one thread: a matrix
/// product in it has the same bits at any number of threads, which a large one need not have
/// otherwise. (libtorch's sum() of a whole tensor has not even so.) What `work` throws is thrown
/// here.
void for_each_block(std::int64_t count, const std::function<void(std::int64_t)>& work);

}  // namespace effuse
