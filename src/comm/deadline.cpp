#include "comm/deadline.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse {

Attendance::Attendance(int rank, RollCall* roll_call, const Deadlines& deadlines)
    : rank_(rank), roll_call_(roll_call) {
  if (roll_call_ != nullptr) channel_ = roll_call_->own().add_channel(deadlines);
}

Attendance::~Attendance() {
  if (roll_call_ != nullptr) roll_call_->own().close(channel_);
}

void Attendance::enter(CommSection section) const {
  if (roll_call_ != nullptr) roll_call_->own().enter(channel_, section);
}

void Attendance::come_to(const OperationLabel& operation) const {
  if (roll_call_ != nullptr) roll_call_->own().come_to(channel_, operation);
}

void Attendance::leave() const {
  if (roll_call_ != nullptr) roll_call_->own().leave(channel_);
}

RollCall::Finding Attendance::ask(const OperationLabel& operation) const {
  return roll_call_ == nullptr ? RollCall::Finding() : roll_call_->ask(channel_, operation);
}

Deadline::Deadline(const Attendance& attendance, const OperationLabel& operation)
    : attendance_(&attendance), operation_(operation), next_s_(operation.deadline_s) {}

void Deadline::check() {
  const double elapsed_s = since_begin_.elapsed_s();
  if (elapsed_s <= next_s_) return;
  const RollCall::Finding finding = attendance_->ask(operation_);
  if (finding.wait_s <= 0.0) {
    throw DeadlineError(operation_, attendance_->rank(), elapsed_s, finding.missing);
  }
  log::record("rank ", attendance_->rank(), " waits on in ", operation_.text(), ": ",
              finding.missing);
  next_s_ = since_begin_.elapsed_s() + finding.wait_s;
}

}  // namespace effuse
