#pragma once

#include <functional>
#include <memory>

#include "app/run_folder.hpp"
#include "config/config.hpp"
#include "metrics/jsonl.hpp"
#include "metrics/registry.hpp"
#include "training/checkpoint_writer.hpp"

namespace effuse {

/// The writer of a run's checkpoints, at rank 0: with the run's log on disk before each of them,
/// its metrics, and the drills that concern saves. `log` and `registry` must outlive it.
/// `after_save` is CheckpointWriter's.
std::unique_ptr<CheckpointWriter> make_checkpoint_writer(const RunFolder& folder,
                                                         const Config& config,
                                                         metrics::JsonlWriter& log,
                                                         metrics::Registry& registry,
                                                         std::function<void()> after_save);

/// Throws ConfigError where a drill of saves is asked of a rank that saves nothing.
void require_rank_that_saves(const DrillConfig& drill);

}  // namespace effuse
