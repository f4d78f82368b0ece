#include "kernels/processor.hpp"

#include <algorithm>
#include <atomic>

namespace effuse {
namespace {

std::atomic<InstructionSet> limit = InstructionSet::avx512;

}  // namespace

InstructionSet widest_instructions() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("x86-64-v4")) return InstructionSet::avx512;
  if (__builtin_cpu_supports("x86-64-v3")) return InstructionSet::avx2;
#endif
  return InstructionSet::baseline;
}

void limit_instructions(InstructionSet most) { limit = most; }

InstructionSet instructions() {
  static const InstructionSet widest = widest_instructions();
  return std::min(widest, limit.load(std::memory_order_relaxed));
}

}  // namespace effuse
