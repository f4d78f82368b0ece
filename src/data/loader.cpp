#include "data/loader.hpp"

#include <utility>

namespace effuse {

Loader::Loader(BatchSource source, const Options& options)
    : source_(std::move(source)),
      options_(options),
      next_to_read_(options.first_step),
      next_to_hand_out_(options.first_step) {
  for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
}

Loader::Outcome Loader::read(std::int64_t step) const {
  try {
    return source_.read(step);
  } catch (...) {
    return std::current_exception();
  }
}

void Loader::work() {
  while (true) {
    std::int64_t step = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        return closing_ || next_to_read_ < next_to_hand_out_ + options_.prefetch_batches;
      });
      if (closing_) return;
      step = next_to_read_++;
    }
    Outcome outcome = read(step);
    {
      const std::lock_guard lock(mutex_);
      ready_.emplace(step, std::move(outcome));
    }
    changed_.notify_all();
  }
}

Batch Loader::next() {
  Outcome outcome;
  if (options_.workers == 0) {
    outcome = read(next_to_hand_out_++);
  } else {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.contains(next_to_hand_out_); });
    auto node = ready_.extract(next_to_hand_out_++);
    outcome = std::move(node.mapped());
    lock.unlock();
    changed_.notify_all();
  }
  if (auto* error = std::get_if<std::exception_ptr>(&outcome)) std::rethrow_exception(*error);
  return std::get<Batch>(std::move(outcome));
}

int Loader::queued() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(ready_.size());
}

}  // namespace effuse
