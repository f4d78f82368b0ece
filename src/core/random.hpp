#pragma once

#include <array>
#include <cstdint>
#include <span>

/// Counter-based random numbers (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
/// SC11). A number is a pure function of what it is for, so results depend neither on ranks,
/// workers nor micro-batches, and there is no state to save.
namespace effuse {

/// Philox4x32-10: ten rounds over a counter of four words with a key of two.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::uint64_t key);

/// What a random number is drawn for. The values are part of the reproducibility contract: a run
/// continued by a later release must draw the same numbers.
enum class Purpose : std::uint32_t {
  noise = 1,          ///< forward process; position: images seen so far
  time_step = 2,      ///< forward process; position: images seen so far
  label_drop = 3,     ///< classifier-free guidance; position: images seen so far
  flip = 4,           ///< augmentation; position: images seen so far
  permutation = 5,    ///< data order; position: epoch
  weights = 6,        ///< initial weights; position: tensor number
  initial_noise = 7,  ///< sampling, x_T; position: image index
  step_noise = 8,     ///< sampling, noise added after step `draw`; position: image index
  dropout = 9,        ///< dropout masks; position: images seen so far
  kid_subset = 10,    ///< evaluation, draw 0 and 1: either set; position: subset
  score_order = 11,   ///< evaluation, order of the Inception Score's images; position: 0
  picture = 12,       ///< evaluation, random images of its picture; position: 0
};

/// The numbers of one (seed, purpose, draw, position): the counter holds (block, purpose and draw,
/// position), the key is the seed. `draw` < 2^24 tells apart several draws for one purpose.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t position, std::uint32_t draw = 0);

  std::uint32_t next_word();

  /// Uniform in [0, 1), 53 bits.
  double uniform();

  /// Uniform in 0 … bound-1 without bias (Lemire 2019). bound > 0.
  std::uint32_t below(std::uint32_t bound);

  /// Standard normal, four a block by Box–Muller. Starts at a fresh block.
  void fill_normal(std::span<float> out);

  /// Uniform in [low, high). Starts at a fresh block.
  void fill_uniform(std::span<float> out, float low, float high);

 private:
  std::array<std::uint32_t, 4> next_block();

  std::uint64_t seed_;
  std::uint64_t position_;
  std::uint32_t purpose_and_draw_;
  std::uint32_t block_number_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int words_left_ = 0;
};

}  // namespace effuse
