#pragma once

#include <c10/core/ScalarType.h>

#include <type_traits>

/// For functions and lambdas below for_this_processor(): code only becomes that of the wider
/// instruction set once it is inlined there.
#define EFFUSE_INLINE __attribute__((always_inline))

namespace effuse {

/// What loops are compiled for. A binary holds all of them and has to run on any processor of its
/// architecture.
enum class InstructionSet {
  baseline,
  avx2,    ///< x86-64-v3: 256 bits, fused multiply-add
  avx512,  ///< x86-64-v4: 512 bits
};

/// The widest that this processor has.
InstructionSet widest_instructions();

/// For tests: the kernels use at most `most` from now on, in all threads.
void limit_instructions(InstructionSet most);

/// The widest within the limit.
InstructionSet instructions();

/// Whether libtorch has kernels of any speed for convolutions and matrix products of the type on
/// this processor: on x86, bf16 from AVX-512 on, fp16 with AVX512-FP16. Elsewhere they take many
/// times as long as in fp32; bf16 14 times in a step of training, with AVX2.
bool has_products_of(c10::ScalarType type);

/// Elements of fp32 in a register.
template <int floats>
using Width = std::integral_constant<int, floats>;

#ifdef __x86_64__
template <class Loop>
__attribute__((target("arch=x86-64-v4"))) void run_avx512(const Loop& loop) {
  loop(Width<16>{});
}

template <class Loop>
__attribute__((target("arch=x86-64-v3"))) void run_avx2(const Loop& loop) {
  loop(Width<8>{});
}
#endif

/// Calls loop(Width<n>{}) in a form compiled for the instructions(). `loop` and all that it calls
/// are EFFUSE_INLINE, in a file compiled with -O3 (see src/kernels/CMakeLists.txt).
template <class Loop>
void for_this_processor(const Loop& loop) {
#ifdef __x86_64__
  switch (instructions()) {
    case InstructionSet::avx512:
      return run_avx512(loop);
    case InstructionSet::avx2:
      return run_avx2(loop);
    case InstructionSet::baseline:
      break;
  }
#endif
  loop(Width<4>{});
}

}  // namespace effuse
