#include "data/permutation.hpp"

#include <bit>

#include "core/random.hpp"

namespace effuse {
namespace {

constexpr std::uint32_t kRounds = 8;

}  // namespace

EpochPermutation::EpochPermutation(std::uint64_t seed, std::uint64_t epoch, std::uint64_t size)
    : seed_(seed), epoch_(epoch), size_(size), half_bits_((std::bit_width(size - 1) + 1) / 2) {}

std::uint64_t EpochPermutation::scramble(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const auto purpose = static_cast<std::uint32_t>(Purpose::permutation) << 24 | round;
    const auto words =
        philox4x32({static_cast<std::uint32_t>(right), purpose, static_cast<std::uint32_t>(epoch_),
                    static_cast<std::uint32_t>(epoch_ >> 32)},
                   seed_);
    const std::uint64_t mixed = left ^ (words[0] & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

std::uint64_t EpochPermutation::operator()(std::uint64_t position) const {
  std::uint64_t value = scramble(position);
  while (value >= size_) value = scramble(value);
  return value;
}

}  // namespace effuse
