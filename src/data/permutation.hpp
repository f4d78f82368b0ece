#pragma once

#include <cstdint>

namespace effuse {

/// A pseudo-random permutation of 0 … size-1 as a pure function of (seed, epoch): no table, no
/// state, the same at any rank. A balanced Feistel network over the next even power of two, whose
/// round function is Philox, walked until it lands inside the range (Black and Rogaway 2002,
/// "Ciphers with Arbitrary Finite Domains"). At most four walks on average.
class EpochPermutation {
 public:
  /// size > 0, at most 2^62.
  EpochPermutation(std::uint64_t seed, std::uint64_t epoch, std::uint64_t size);

  /// The element at `position` < size.
  std::uint64_t operator()(std::uint64_t position) const;

 private:
  std::uint64_t scramble(std::uint64_t value) const;

  std::uint64_t seed_;
  std::uint64_t epoch_;
  std::uint64_t size_;
  int half_bits_;
};

}  // namespace effuse
