#pragma once

#include <cstdint>
#include <filesystem>

#include "data/batch.hpp"
#include "data/share.hpp"
#include "diffusion/draws.hpp"
#include "metrics/jsonl.hpp"

namespace effuse {

/// metrics/draws/rank-0000.jsonl: what training saw and drew, a line for each image of this rank
/// with step, position, image, t and the CRC-32C of the noise (fp32, C x H x W). The lines of all
/// ranks together, sorted by position, are the same at any number of ranks.
class DrawLog {
 public:
  /// `folder` is metrics/draws; lines of steps after `steps_done` are cut away.
  DrawLog(const std::filesystem::path& folder, int rank, std::int64_t steps_done);

  /// `draws` are those of the part of the batch.
  void write(const Batch& batch, const Share& part, const TrainingDraws& draws);

  /// Throws std::system_error where lines found no room on the disk.
  void sync() { writer_.sync(); }

 private:
  metrics::JsonlWriter writer_;
};

/// Cuts the files of all ranks in metrics/draws, those of ranks that are no more included, back to
/// the lines up to and including `steps_done`. For one process, before any rank opens its own.
void cut_draw_logs_back(const std::filesystem::path& folder, std::int64_t steps_done);

}  // namespace effuse
