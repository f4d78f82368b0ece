#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "comm/communicator.hpp"

namespace effuse {

/// Lets ranks that work each at its own speed know of one another: how much all have done together,
/// and whether one was asked to stop or failed, upon which all stop. A thread a rank exchanges this
/// every quarter of a second, so that no rank waits for another until the end.
class RankProgress {
 public:
  struct Totals {
    std::int64_t images = 0, tiles = 0;  ///< made by all ranks together
    bool stopped = false;                ///< some rank was asked to stop
    bool failed = false;                 ///< some rank's work failed
  };

  /// Called at each exchange, by the thread that makes them.
  using Report = std::function<void(const Totals&)>;

  /// Collective. `comm` is of CPU tensors and used by nobody else until finish(). A rank that gives
  /// no sign of life for `patience_s` ends the job: should_stop() and finish() throw CommError that
  /// names it, at all ranks.
  RankProgress(Communicator& comm, double patience_s, Report report);

  /// finish(RankEnd::failed) where it has not been called, without what that throws.
  ~RankProgress();
  RankProgress(const RankProgress&) = delete;
  RankProgress& operator=(const RankProgress&) = delete;

  /// This rank has made a tile.
  void made(std::int64_t images);

  /// A sign of life of this rank, to be given between pieces of work. Whether to stop.
  bool should_stop();

  enum class RankEnd { done, failed };

  /// Collective. This rank has no more to do; waits for the others. What they all did.
  Totals finish(RankEnd end);

 private:
  /// One rank's state, as it travels.
  enum Column { kImages, kTiles, kBeats, kFinished, kStopped, kFailed, kOverdue, kColumns };

  /// When a rank was last heard of.
  struct Sign {
    std::int64_t beats = -1;
    double at_s = 0;
  };

  void exchange_until_all_finished();
  bool exchange();
  std::int64_t overdue_rank(const std::vector<std::int64_t>& rows);
  [[noreturn]] void throw_overdue(std::int64_t rank) const;
  void rethrow_failure();
  void end_thread(RankEnd end);

  Communicator& comm_;
  double patience_s_;
  Report report_;
  std::vector<Sign> signs_;
  std::int64_t overdue_ = -1;  ///< a rank, to be told to the others; -1: none

  std::mutex mutex_;
  std::condition_variable wake_;
  std::int64_t images_ = 0, tiles_ = 0, beats_ = 0;
  bool finished_ = false, failed_ = false;
  Totals totals_;
  std::exception_ptr failure_;  ///< of the exchange itself
  std::thread thread_;          ///< last: it uses the others
};

}  // namespace effuse
