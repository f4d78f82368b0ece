#pragma once

#include "comm/operation.hpp"
#include "comm/patience.hpp"
#include "comm/roll_call.hpp"

namespace effuse {

/// A communicator's place in the roll call: it says where this rank is, and asks for the others.
/// Without a roll call (one rank, no MPI) it says nothing and learns nothing.
class Attendance {
 public:
  /// `roll_call`, where there is one, must outlive this.
  Attendance(int rank, RollCall* roll_call, const Deadlines& deadlines);
  ~Attendance();
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  void enter(CommSection section) const;
  void come_to(const OperationLabel& operation) const;
  void leave() const;
  RollCall::Finding ask(const OperationLabel& operation) const;
  int rank() const { return rank_; }

 private:
  int rank_;
  RollCall* roll_call_;
  int channel_ = 0;
};

/// The deadline of one operation at this rank, from now on. It is the time for which a rank may
/// wait without a sign of life from those it waits for: where they turn out to be busy in a section
/// with a longer deadline, as with a preview or a save, that one counts.
class Deadline {
 public:
  /// `attendance` must outlive this.
  Deadline(const Attendance& attendance, const OperationLabel& operation);

  /// Throws DeadlineError, with what the other ranks say, where they are overdue. To be polled;
  /// takes some seconds where the deadline is past.
  void check();

  /// The operation is done.
  void met() const { attendance_->leave(); }

 private:
  const Attendance* attendance_;
  OperationLabel operation_;
  Patience since_begin_;
  double next_s_;  ///< when to ask
};

}  // namespace effuse
