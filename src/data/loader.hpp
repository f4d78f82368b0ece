#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

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
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; waits for it where the workers are behind. Throws what reading it threw.
  Batch next();

  /// Batches read and waiting.
  int queued() const;

 private:
  using Outcome = std::variant<Batch, std::exception_ptr>;

  void work();
  Outcome read(std::int64_t step) const;

  BatchSource source_;
  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, Outcome> ready_;
  std::int64_t next_to_read_;
  std::int64_t next_to_hand_out_;
  bool closing_ = false;
  std::vector<std::jthread> workers_;  // declared last: joined before the rest is destroyed
};

}  // namespace effuse
