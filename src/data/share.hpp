#pragma once

#include <cstdint>

/// How a global batch is divided: over ranks, and within a rank over micro-steps. Shares differ by
/// at most one image, every rank makes the same number of micro-steps, and sums are weighted by
/// images, so the number of ranks does not change the experiment.
namespace effuse {

/// A run of consecutive places in a batch.
struct Share {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// Part `part` of `parts` of `whole` places; earlier parts take the remainder.
Share share_of(std::int64_t whole, std::int64_t part, std::int64_t parts);

/// Micro-steps every rank makes for one batch: `accumulation_steps`, but no more than the largest
/// share has images; or, where that is 0, as many as are needed that no forward pass holds more
/// than `micro_batch` images (0: no limit).
std::int64_t micro_steps_of(std::int64_t batch_size, int world_size, std::int64_t micro_batch,
                            std::int64_t accumulation_steps = 0);

}  // namespace effuse
