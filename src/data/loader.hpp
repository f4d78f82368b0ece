#pragma once

#include <cstdint>
#include <optional>

#include "core/ordered_workers.hpp"
#include "data/batch_source.hpp"

namespace effuse {

/// Batches in order, read ahead by worker threads. With 0 workers each batch is read when asked
/// for; the batches are the same at any number of workers.
class Loader {
 public:
  struct Options {
    std::int64_t first_step = 0;
    int workers = 1;
    int prefetch_batches = 4;
  };

  Loader(BatchSource source, const Options& options);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; waits for it where the workers are behind. Throws what reading it threw.
  Batch next();

  /// Batches read and waiting.
  int queued() const;

  /// Of the images of all batches that next() has given.
  std::int64_t bytes_given() const { return bytes_given_; }

 private:
  BatchSource source_;
  std::int64_t next_step_;
  std::int64_t bytes_given_ = 0;
  std::optional<OrderedWorkers<Batch>> workers_;  // last: ends before what it reads from
};

}  // namespace effuse
