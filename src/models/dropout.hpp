#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace effuse {

/// Which images a forward pass holds; one object is shared by a network and its dropout layers.
class DropoutPositions {
 public:
  void set(std::uint64_t seed, std::span<const std::int64_t> positions) {
    seed_ = seed;
    positions_.assign(positions.begin(), positions.end());
  }
  void clear() { positions_.clear(); }

  std::uint64_t seed() const { return seed_; }
  std::span<const std::int64_t> positions() const { return positions_; }

  /// A number for one more dropout layer: 0, 1, 2 … in the order of construction.
  std::uint32_t next_layer() { return layer_count_++; }

 private:
  std::uint64_t seed_ = 0;
  std::vector<std::int64_t> positions_;
  std::uint32_t layer_count_ = 0;
};

/// Dropout with counter-based masks: an element's fate is a pure function of (seed, position of its
/// image, layer, element), so that training continues bit for bit after a stop and is the same at
/// any rank count. Costs nothing in evaluation mode or with probability 0.
class Dropout : public torch::nn::Module {
 public:
  Dropout(double probability, std::shared_ptr<DropoutPositions> positions);

  /// x: [N, …]. Throws ConfigError in training mode where the positions of these N images were not
  /// set.
  at::Tensor forward(const at::Tensor& x);

 private:
  /// [N, …] of the shape and type of x: 0 or 1 / (1 - probability).
  at::Tensor draw_mask(const at::Tensor& x) const;

  double probability_;
  std::shared_ptr<DropoutPositions> positions_;
  std::uint32_t layer_;
};

}  // namespace effuse
