#include "training/draw_log.hpp"

#include <ATen/core/Tensor.h>

#include <vector>

#include "checkpoint/tensor_bytes.hpp"
#include "core/checksum.hpp"
#include "core/text.hpp"
#include "core/zero_padded.hpp"

namespace effuse {
DrawLog::DrawLog(const std::filesystem::path& folder, int rank, std::int64_t steps_done)
    : writer_(folder / cat("rank-", zero_padded(rank, 4), ".jsonl"), steps_done) {}

void DrawLog::write(const Batch& batch, const Share& part, const TrainingDraws& draws) {
  const at::Tensor t = draws.t.cpu();
  const at::Tensor noise = draws.noise.cpu().contiguous();
  for (std::int64_t i = 0; i < part.count; ++i) {
    const auto place = static_cast<std::size_t>(part.first + i);
    writer_.write({{"step", batch.step + 1},
                   {"position", batch.positions[place]},
                   {"image", batch.indices[place]},
                   {"t", t[i].item<std::int64_t>()},
                   {"noise_crc32c", static_cast<std::int64_t>(crc32c(bytes_of(noise[i])))}});
  }
}

void cut_draw_logs_back(const std::filesystem::path& folder, std::int64_t steps_done) {
  if (!std::filesystem::exists(folder)) return;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  for (const auto& file : files) metrics::JsonlWriter(file, steps_done);
}

}  // namespace effuse
