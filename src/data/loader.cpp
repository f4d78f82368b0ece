#include "data/loader.hpp"

#include <limits>
#include <utility>

namespace effuse {

Loader::Loader(BatchSource source, const Options& options)
    : source_(std::move(source)), next_step_(options.first_step) {
  if (options.workers == 0) return;
  constexpr auto kEndless = std::numeric_limits<std::int64_t>::max();
  workers_.emplace(
      options.workers, kEndless, options.prefetch_batches,
      [this, first = options.first_step](std::int64_t i) { return source_.read(first + i); });
}

Batch Loader::next() {
  Batch batch = workers_ ? workers_->next() : source_.read(next_step_++);
  bytes_given_ += static_cast<std::int64_t>(batch.images.nbytes());
  return batch;
}

int Loader::queued() const { return workers_ ? static_cast<int>(workers_->ready()) : 0; }

}  // namespace effuse
