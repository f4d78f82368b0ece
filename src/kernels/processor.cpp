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

bool has_products_of(c10::ScalarType type) {
#ifdef __x86_64__
  if (type == c10::ScalarType::BFloat16) return widest_instructions() == InstructionSet::avx512;
  if (type == c10::ScalarType::Half) return __builtin_cpu_supports("avx512fp16") != 0;
#endif
  static_cast<void>(type);
  return true;
}

void limit_instructions(InstructionSet most) { limit = most; }

InstructionSet instructions() {
  static const InstructionSet widest = widest_instructions();
  return std::min(widest, limit.load(std::memory_order_relaxed));
}

}  // namespace effuse
