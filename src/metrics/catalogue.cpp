#include "metrics/catalogue.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse::metrics {
namespace {

constexpr auto kGauge = Series::Type::gauge;
constexpr auto kCounter = Series::Type::counter;
constexpr auto kHistogram = Series::Type::histogram;
constexpr auto kEveryRank = Series::ServedBy::every_rank;
constexpr auto kRank0 = Series::ServedBy::rank_0;

constexpr std::array kStepBounds_s = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                      0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 30.0};
constexpr std::array kStallBounds_s = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                       0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0, 300.0};
constexpr std::array kWriteBounds_s = {0.05, 0.1, 0.25, 0.5,  1.0,   2.5,
                                       5.0,  10., 30.0, 60.0, 300.0, 1800.0};

constexpr Series kCatalogue[] = {
    {"effuse_build_info", kGauge, "1; what was built, by the labels",
     "version, revision, libtorch, compiler", "process", kEveryRank},
    {"effuse_memory_resident_bytes", kGauge, "memory of the process on the host", "", "process",
     kEveryRank},
    {"effuse_memory_device_allocated_bytes", kGauge, "GPU memory in use by tensors", "", "process",
     kEveryRank},
    {"effuse_memory_device_reserved_bytes", kGauge,
     "GPU memory taken by the process's allocator, in use or not", "", "process", kEveryRank},

    {"effuse_run_info", kGauge, "1; what is trained, by the labels",
     "model, compute, backend, device", "run"},
    {"effuse_train_ranks", kGauge, "ranks of the training", "", "run"},
    {"effuse_train_exporters", kGauge, "ranks that serve metrics (`metrics.ranks`)", "", "run"},
    {"effuse_train_attempts", kGauge,
     "attempts at the run, this one included: one more than restarts", "", "run"},
    {"effuse_train_start_timestamp_seconds", kGauge, "when this attempt began, Unix time", "",
     "run"},
    {"effuse_train_end_timestamp_seconds", kGauge,
     "when this attempt ended, Unix time; only in the final values", "", "run", kEveryRank},
    {"effuse_train_exit_code", kGauge,
     "how this attempt ended: 0 done, 75 stopped with a checkpoint, others failed; only in the "
     "final values",
     "", "run", kEveryRank},
    {"effuse_train_step", kGauge, "optimiser steps of the run that are done", "", "run"},
    {"effuse_train_step_target", kGauge, "steps the run will have", "", "run"},
    {"effuse_train_images_seen", kGauge, "images the run has seen", "", "run"},
    {"effuse_train_epoch", kGauge, "of the last image seen, from 0", "", "run"},
    {"effuse_train_epoch_target", kGauge, "passes over the data set that the run will have made",
     "", "run"},
    {"effuse_train_time_left_seconds", kGauge,
     "until the last step, at the speed of this attempt so far", "", "run"},
    {"effuse_train_steps_total", kCounter, "steps made by this process", "", "run"},
    {"effuse_train_images_total", kCounter, "images seen by all ranks since this process began", "",
     "run"},
    {"effuse_train_images_per_second", kGauge,
     "over all ranks, of the last ten steps; pauses between them do not count", "", "run"},
    {"effuse_train_model_flops_per_second", kGauge,
     "operations of the network's products and convolutions over all ranks, of the last ten steps; "
     "a "
     "training step counts as three forward passes",
     "", "run"},
    {"effuse_train_mfu_ratio", kGauge,
     "model FLOP/s over what the devices can do at most; absent where that is not known "
     "(`metrics.peak_tflops`)",
     "", "run"},
    {"effuse_train_loss", kGauge, "mean of the last global batch", "", "run"},
    {"effuse_train_timestep_loss", kGauge,
     "mean loss where the time step drawn was in this range, since the last line of `train.jsonl`; "
     "absent until one was drawn",
     "timesteps", "run"},
    {"effuse_train_grad_norm", kGauge, "before clipping", "", "run"},
    {"effuse_train_learning_rate", kGauge, "of the last step", "", "run"},
    {"effuse_train_ema_decay", kGauge, "of the averaged weights", "", "run"},
    {"effuse_train_loss_scale", kGauge, "of fp16; 1 without", "", "run"},
    {"effuse_train_skipped_steps_total", kCounter,
     "steps that changed nothing: `bad` (not finite, or a spike), `overflow` (of fp16)", "reason",
     "run"},
    {"effuse_train_restores_total", kCounter, "times this process went back to a checkpoint", "",
     "run"},

    {"effuse_train_step_part_seconds", kHistogram,
     "parts of a step: `data_wait`, `upload` (to a GPU, while the step before computes), "
     "`forward`, "
     "`backward`, `exposed_communication` (not hidden under the backward pass, with waiting for "
     "slower ranks), `hidden_communication`, `update`",
     "part", "step", kEveryRank, kStepBounds_s},
    {"effuse_train_communication_hidden_ratio", kGauge,
     "share of the communication, 0 to 1, that passed under backward passes: 1 − exposed / all, "
     "over the last `run.log_every_steps` steps. Absent with one rank, which has nothing to hide",
     "", "step"},

    {"effuse_train_rank_speed_ratio", kGauge, "speed of a rank: 1 is the median, 0.5 half as fast",
     "of_rank", "ranks"},
    {"effuse_train_slowest_rank", kGauge, "its number", "", "ranks"},

    {"effuse_data_queued_batches", kGauge, "batches read ahead and waiting", "", "data",
     kEveryRank},
    {"effuse_data_read_bytes_total", kCounter, "bytes of images read from the shards", "", "data",
     kEveryRank},
    {"effuse_data_damaged_images_total", kCounter, "images found damaged and left out", "", "data",
     kEveryRank},
    {"effuse_disk_free_bytes", kGauge, "free in the file system of the run folder", "", "data"},
    {"effuse_disk_size_bytes", kGauge, "size of the file system of the run folder", "", "data"},

    {"effuse_checkpoints_total", kCounter, "checkpoints written by this process", "",
     "checkpoints"},
    {"effuse_checkpoint_failures_total", kCounter,
     "attempts of this process to write a checkpoint that failed", "", "checkpoints"},
    {"effuse_checkpoint_step", kGauge, "step of the last one", "", "checkpoints"},
    {"effuse_checkpoint_size_bytes", kGauge, "of the last one", "", "checkpoints"},
    {"effuse_checkpoint_last_success_timestamp_seconds", kGauge,
     "when the last one was complete, Unix time; absent before this process has written one", "",
     "checkpoints"},
    {"effuse_checkpoint_save_seconds", kHistogram, "time training stood still for one", "",
     "checkpoints", kRank0, kStallBounds_s},
    {"effuse_checkpoint_write_seconds", kHistogram,
     "time from a checkpoint's snapshot until it was complete on disk", "", "checkpoints", kRank0,
     kWriteBounds_s},

    {"effuse_train_paused", kGauge,
     "1 while training stands still for `checkpoint`, `preview` or `evaluation`, else 0", "reason",
     "goodput"},
    {"effuse_train_goodput_ratio", kGauge, "of the run, 0 to 1", "", "goodput"},
    {"effuse_train_lost_seconds", kGauge, "of the run", "reason", "goodput"},

    {"effuse_evaluation_score", kGauge,
     "`fid`, `kid`, `is`, `precision`, `recall`, `density`, `coverage`; absent until the first "
     "evaluation",
     "metric", "evaluation"},
    {"effuse_evaluation_step", kGauge, "the step whose weights were scored last", "", "evaluation"},

    {"effuse_sample_images", kGauge,
     "images of the job's part that are there, also those made before", "", "sampling"},
    {"effuse_sample_images_target", kGauge, "images the part will have", "", "sampling"},
    {"effuse_sample_images_total", kCounter, "images made by this job", "", "sampling"},
    {"effuse_sample_tiles_total", kCounter, "tiles made by this job", "", "sampling"},
    {"effuse_sample_images_per_second", kGauge, "made by this job, since it began to", "",
     "sampling"},
    {"effuse_sample_time_left_seconds", kGauge,
     "until the part is complete, at that speed; absent before the first image", "", "sampling"},
};

}  // namespace

std::span<const Series> catalogue() { return kCatalogue; }

const Series& series(std::string_view name) {
  const auto* found = std::ranges::find(kCatalogue, name, &Series::name);
  if (found == std::end(kCatalogue)) throw Error(cat(name, " is not in the catalogue of metrics"));
  return *found;
}

}  // namespace effuse::metrics
