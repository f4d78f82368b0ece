#include "app/checkpointing.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "training/save_drill.hpp"

namespace effuse {

std::unique_ptr<CheckpointWriter> make_checkpoint_writer(const RunFolder& folder,
                                                         const Config& config,
                                                         metrics::JsonlWriter& log,
                                                         metrics::Registry& registry,
                                                         std::function<void()> after_save) {
  const auto drill = std::make_shared<SaveDrill>(Drill(config.drill, /*rank=*/0));
  return std::make_unique<CheckpointWriter>(CheckpointWriter::Parts{
      .folder = CheckpointFolder(
          folder.checkpoints(),
          [drill](FileOperation operation, const auto& path) { drill->before(operation, path); }),
      .config = config.checkpoint,
      .before_save =
          [drill, &log](std::int64_t step) {
            drill->begin_save(step);
            log.sync();
          },
      .metrics = CheckpointMetrics(registry),
      .after_save = std::move(after_save)});
}

void require_rank_that_saves(const DrillConfig& drill) {
  const bool in_save = drill.fault == "kill_in_save" || drill.fault == "fail_in_save";
  if (!in_save || drill.rank == 0) return;
  throw ConfigError(cat("drill.rank is ", drill.rank, ", but drill.fault is ", drill.fault,
                        " (rank 0 alone saves). Give drill.rank=0."));
}

}  // namespace effuse
