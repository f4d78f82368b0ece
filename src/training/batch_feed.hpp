#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <optional>

#include "data/loader.hpp"

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

 private:
  struct Upload {
    Batch batch;
    c10::Event arrived;
  };

  Upload upload(Batch batch) const;

  Loader& loader_;
  c10::Device device_;
  std::optional<c10::Stream> stream_;  ///< for copies to a GPU
  std::optional<Upload> ahead_;
};

}  // namespace effuse
