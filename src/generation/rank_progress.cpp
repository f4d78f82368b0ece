#include "generation/rank_progress.hpp"

#include <ATen/ATen.h>

#include <chrono>
#include <utility>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::chrono::milliseconds kInterval(250);

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

RankProgress::RankProgress(Communicator& comm, double patience_s, Report report)
    : comm_(comm),
      patience_s_(patience_s),
      report_(std::move(report)),
      signs_(static_cast<std::size_t>(comm.world_size()), Sign{-1, now_s()}),
      thread_([this] { exchange_until_all_finished(); }) {}

RankProgress::~RankProgress() { end_thread(RankEnd::failed); }

void RankProgress::made(std::int64_t images) {
  const std::lock_guard lock(mutex_);
  images_ += images;
  ++tiles_;
}

bool RankProgress::should_stop() {
  const std::lock_guard lock(mutex_);
  rethrow_failure();
  ++beats_;
  return stop_signal() != 0 || totals_.stopped || totals_.failed;
}

RankProgress::Totals RankProgress::finish(RankEnd end) {
  end_thread(end);
  const std::lock_guard lock(mutex_);
  rethrow_failure();
  return totals_;
}

void RankProgress::end_thread(RankEnd end) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    failed_ = end == RankEnd::failed;
  }
  wake_.notify_all();
  thread_.join();
}

void RankProgress::rethrow_failure() {
  if (failure_) std::rethrow_exception(failure_);
}

void RankProgress::exchange_until_all_finished() {
  try {
    while (!exchange()) {
      std::unique_lock lock(mutex_);
      // Who has finished only waits for the others, in the next exchange.
      wake_.wait_for(lock, kInterval, [this] { return finished_; });
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
}

/// Whether all ranks have finished.
bool RankProgress::exchange() {
  at::Tensor own = at::zeros({kColumns}, at::kLong);
  {
    const std::lock_guard lock(mutex_);
    auto* const row = own.data_ptr<std::int64_t>();
    row[kImages] = images_;
    row[kTiles] = tiles_;
    row[kBeats] = beats_;
    row[kFinished] = finished_ ? 1 : 0;
    row[kStopped] = stop_signal() != 0 ? 1 : 0;
    row[kFailed] = failed_ ? 1 : 0;
    row[kOverdue] = overdue_;
  }
  const at::Tensor all = comm_.all_gather(own);
  const auto* const values = all.const_data_ptr<std::int64_t>();
  const std::vector<std::int64_t> rows(values, values + all.numel());
  const auto overdue = all.select(1, kOverdue).max().item<std::int64_t>();
  if (overdue >= 0) throw_overdue(overdue);  // all ranks at once: none waits for another
  const at::Tensor sums = all.sum(0);
  const auto* const sum = sums.const_data_ptr<std::int64_t>();
  const Totals totals{sum[kImages], sum[kTiles], sum[kStopped] > 0, sum[kFailed] > 0};
  {
    const std::lock_guard lock(mutex_);
    totals_ = totals;
  }
  if (report_) report_(totals);
  overdue_ = overdue_rank(rows);
  return sum[kFinished] == comm_.world_size();
}

/// A rank that has not finished and was not heard of for too long; -1: none.
std::int64_t RankProgress::overdue_rank(const std::vector<std::int64_t>& rows) {
  for (std::size_t rank = 0; rank < signs_.size(); ++rank) {
    const std::int64_t* const row = rows.data() + rank * kColumns;
    Sign& sign = signs_[rank];
    if (row[kFinished] != 0 || row[kBeats] != sign.beats) {
      sign = {row[kBeats], now_s()};
    } else if (now_s() - sign.at_s > patience_s_) {
      return static_cast<std::int64_t>(rank);
    }
  }
  return -1;
}

void RankProgress::throw_overdue(std::int64_t rank) const {
  throw CommError(cat("rank ", rank, " has not come to its next denoising step for ",
                      human_seconds(patience_s_),
                      " (parallel.preview_timeout_s; does it hang, or is its disk stuck?)"));
}

}  // namespace effuse
