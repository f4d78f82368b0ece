#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <deque>
#include <optional>

#include "data/loader.hpp"
#include "training/step_timer.hpp"

namespace effuse {

/// Batches of a loader with their images on the device; labels stay on the CPU, where they are
/// drawn from. For a GPU the next images travel there as bytes, on a stream of their own, while the
/// step before computes.
class BatchFeed {
 public:
  /// `loader` must outlive this.
  BatchFeed(Loader& loader, c10::Device device);

  /// The next batch, for the current stream.
  Batch next();

  /// To be called once the step of the last batch is under way: sends the next one on its way. Does
  /// nothing on the CPU.
  void prefetch();

  /// Seconds that the upload of the earliest batch took of which this was not asked yet, once the
  /// device is past a step of it; 0 on the CPU.
  double upload_s();

 private:
  struct Upload {
    Batch batch;
    c10::Event arrived;
  };

  Upload upload(Batch batch);

  Loader& loader_;
  c10::Device device_;
  std::optional<c10::Stream> stream_;  ///< for copies to a GPU
  std::optional<Upload> ahead_;
  std::deque<StepTimer> uploads_;
};

}  // namespace effuse
