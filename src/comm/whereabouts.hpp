#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "comm/operation.hpp"

namespace effuse {

/// What a rank answers where others miss it in an operation.
struct Account {
  bool came = false;    ///< it has come to that operation itself
  double left_s = 0.0;  ///< until the deadline of the section it is in; 0 or less: it is overdue
  std::string
      text{};  ///< "has been in section preview for 63.0 s, last came to barrier, number 40"
};

/// Where this rank is: its section and the operations it came to, kept by its communicators as they
/// go and read when another rank asks. Thread-safe.
class Whereabouts {
 public:
  /// The channel of the session itself, which is there from the start.
  static constexpr int kSession = 0;

  /// A rank that has told nothing yet is in section startup, with this deadline.
  explicit Whereabouts(double startup_s);

  /// A place for one communicator's records. Numbered in the order in which communicators are
  /// made, which is the same at every rank.
  int add_channel(const Deadlines& deadlines);

  void enter(int channel, CommSection section);
  void come_to(int channel, const OperationLabel& operation);

  /// An operation that this rank came to is done.
  void leave(int channel);

  /// The communicator is gone, with whatever was under way.
  void close(int channel);

  /// This rank's answer to one that waits for it in operation number `sequence` of `channel`, whose
  /// OperationLabel::text() is `operation`. A rank that is busy in a section of its own (a preview,
  /// a save) has that section's time, counted from its last sign of life: its last operation or
  /// change of section. One that waits in another operation has none: it does not come by itself.
  Account account(int channel, std::uint64_t sequence, const std::string& operation) const;

 private:
  using Clock = std::chrono::steady_clock;

  /// The last operations of a communicator, for who asks about one that this rank has left behind.
  struct Channel {
    Deadlines deadlines;
    std::deque<OperationLabel> operations{};
    int under_way = 0;  ///< come to and not left
  };

  bool is_waiting() const;
  std::string place() const;

  mutable std::mutex mutex_;
  std::vector<Channel> channels_;
  CommSection section_ = CommSection::startup;
  double deadline_s_;  ///< of that section
  std::optional<OperationLabel> last_;
  bool entered_ = true;  ///< it has changed its section since then
  bool at_the_end_ = false;
  Clock::time_point beat_ = Clock::now();
};

}  // namespace effuse
