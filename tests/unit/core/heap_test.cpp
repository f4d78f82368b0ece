#include "core/heap.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>

namespace effuse {
namespace {

constexpr std::size_t kBlock = 16 << 20, kPage = 4096;

long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/// Takes a block, writes to all of it and gives it back.
void use_a_block() {
  void* const block = std::malloc(kBlock);
  std::memset(block, 1, kBlock);
  // Keeps the compiler from leaving all of it out.
  asm volatile("" : : "g"(block) : "memory");
  std::free(block);
}

TEST(Heap, KeepsLargeBlocksThatWereFreed) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has an allocator of its own";
#endif
  keep_freed_memory();
  use_a_block();
  const long before = page_faults();
  for (int i = 0; i < 10; ++i) use_a_block();
  EXPECT_LT(page_faults() - before, static_cast<long>(kBlock / kPage));
}

}  // namespace
}  // namespace effuse
