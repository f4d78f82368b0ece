#include "core/random.hpp"

#include <cmath>
#include <numbers>

namespace effuse {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53u;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;

std::array<std::uint32_t, 4> round_of(const std::array<std::uint32_t, 4>& c, std::uint32_t key0,
                                      std::uint32_t key1) {
  const std::uint64_t product0 = std::uint64_t{kMultiplier0} * c[0];
  const std::uint64_t product1 = std::uint64_t{kMultiplier1} * c[2];
  return {static_cast<std::uint32_t>(product1 >> 32) ^ c[1] ^ key0,
          static_cast<std::uint32_t>(product1),
          static_cast<std::uint32_t>(product0 >> 32) ^ c[3] ^ key1,
          static_cast<std::uint32_t>(product0)};
}

/// In (0, 1]: the logarithm in Box–Muller must not see 0.
float open_unit(std::uint32_t word) { return (static_cast<float>(word >> 8) + 1.0f) * 0x1p-24f; }

std::array<float, 2> box_muller(std::uint32_t a, std::uint32_t b) {
  const float radius = std::sqrt(-2.0f * std::log(open_unit(a)));
  const float angle = 2.0f * std::numbers::pi_v<float> * (static_cast<float>(b >> 8) * 0x1p-24f);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int i = 0; i < kRounds; ++i) {
    counter = round_of(counter, key0, key1);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t position,
                           std::uint32_t draw)
    : seed_(seed),
      position_(position),
      purpose_and_draw_(static_cast<std::uint32_t>(purpose) << 24 | (draw & 0xFFFFFFu)) {}

std::array<std::uint32_t, 4> RandomStream::next_block() {
  return philox4x32({block_number_++, purpose_and_draw_, static_cast<std::uint32_t>(position_),
                     static_cast<std::uint32_t>(position_ >> 32)},
                    seed_);
}

std::uint32_t RandomStream::next_word() {
  if (words_left_ == 0) {
    block_ = next_block();
    words_left_ = 4;
  }
  return block_[static_cast<std::size_t>(4 - words_left_--)];
}

double RandomStream::uniform() {
  const std::uint64_t high = next_word();
  const std::uint64_t low = next_word();
  return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
}

std::uint32_t RandomStream::below(std::uint32_t bound) {
  std::uint64_t product = std::uint64_t{next_word()} * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = -bound % bound;
    while (static_cast<std::uint32_t>(product) < threshold) {
      product = std::uint64_t{next_word()} * bound;
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

void RandomStream::fill_normal(std::span<float> out) {
  words_left_ = 0;
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const auto words = next_block();
    const auto first = box_muller(words[0], words[1]);
    const auto second = box_muller(words[2], words[3]);
    const std::array<float, 4> four{first[0], first[1], second[0], second[1]};
    for (std::size_t j = 0; j < 4 && i + j < out.size(); ++j) out[i + j] = four[j];
  }
}

void RandomStream::fill_uniform(std::span<float> out, float low, float high) {
  words_left_ = 0;
  for (float& value : out) {
    value = low + (high - low) * (static_cast<float>(next_word() >> 8) * 0x1p-24f);
  }
}

}  // namespace effuse
