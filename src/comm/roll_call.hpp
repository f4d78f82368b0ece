#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/operation.hpp"
#include "comm/whereabouts.hpp"

namespace effuse {

/// The channel beside the collective operations, by which a rank whose operation misses its
/// deadline asks the others where they are: a thread a rank on an MPI communicator of its own, so
/// that a rank answers whatever its other threads are blocked in. No rank has a special part, and
/// nothing is sent while nobody asks. The thread looks for questions every 40 ms.
///
/// Made by Session, for jobs of several ranks.
class RollCall {
 public:
  /// Collective over all ranks, `hosts` by rank.
  RollCall(int rank, std::vector<std::string> hosts, double startup_s);

  /// Ends the thread; waits for no other rank.
  ~RollCall();
  RollCall(const RollCall&) = delete;
  RollCall& operator=(const RollCall&) = delete;

  /// This rank's record.
  Whereabouts& own();

  /// What asking has shown.
  struct Finding {
    /// Above 0: whoever is missing is busy in a section whose deadline is not over. Wait so long
    /// and ask again.
    double wait_s = 0.0;
    /// "rank 1 has been in section preview for 63.0 s, last came to barrier, number 40; rank 2 on
    /// node7 does not answer (it is stopped, or its host is gone)".
    std::string missing;
  };

  /// Asks all other ranks where they are, as one that waits for them in `operation` of `channel`
  /// past its deadline, and waits for their answers, 1.5 s at most. Where ranks are overdue, those
  /// that answer are told, and they and this rank write the stacks of their threads to their logs:
  /// another second. A rank that another has told meanwhile takes over what that one found.
  /// Thread-safe.
  Finding ask(int channel, const OperationLabel& operation);

  /// Questions of other ranks answered so far.
  int times_asked() const;

 private:
  class Desk;
  std::unique_ptr<Desk> desk_;
};

}  // namespace effuse
