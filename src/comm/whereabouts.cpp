#include "comm/whereabouts.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace effuse {
namespace {

/// More than any rank is behind another: gradient buckets of one step, at most.
constexpr std::size_t kRemembered = 256;

std::string name_of(const OperationLabel& operation) {
  if (operation.sequence == 0) return operation.name;
  return cat(operation.name, ", number ", operation.sequence);
}

}  // namespace

Whereabouts::Whereabouts(double startup_s) : deadline_s_(startup_s) { channels_.resize(1); }

int Whereabouts::add_channel(const Deadlines& deadlines) {
  const std::lock_guard lock(mutex_);
  channels_.push_back({.deadlines = deadlines});
  return static_cast<int>(channels_.size()) - 1;
}

void Whereabouts::enter(int channel, CommSection section) {
  const std::lock_guard lock(mutex_);
  section_ = section;
  deadline_s_ = channels_[static_cast<std::size_t>(channel)].deadlines.of(section);
  entered_ = true;
  beat_ = Clock::now();
}

void Whereabouts::come_to(int channel, const OperationLabel& operation) {
  const std::lock_guard lock(mutex_);
  Channel& own = channels_[static_cast<std::size_t>(channel)];
  own.operations.push_back(operation);
  if (own.operations.size() > kRemembered) own.operations.pop_front();
  ++own.under_way;
  section_ = operation.section;
  deadline_s_ = operation.deadline_s;
  last_ = operation;
  entered_ = false;
  at_the_end_ = channel == kSession;
  beat_ = Clock::now();
}

void Whereabouts::leave(int channel) {
  const std::lock_guard lock(mutex_);
  --channels_[static_cast<std::size_t>(channel)].under_way;
}

void Whereabouts::close(int channel) {
  const std::lock_guard lock(mutex_);
  channels_[static_cast<std::size_t>(channel)].under_way = 0;
}

bool Whereabouts::is_waiting() const {
  return std::ranges::any_of(channels_, [](const Channel& c) { return c.under_way > 0; });
}

Account Whereabouts::account(int channel, std::uint64_t sequence,
                             const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  const std::chrono::duration<double> quiet = Clock::now() - beat_;
  Account answer{.left_s = deadline_s_ - quiet.count(), .text = place()};
  if (static_cast<std::size_t>(channel) >= channels_.size()) return answer;
  const auto& operations = channels_[static_cast<std::size_t>(channel)].operations;
  const auto same = std::ranges::find(operations, sequence, &OperationLabel::sequence);
  if (same != operations.end() && !same->text().starts_with(operation)) {
    return {.came = false, .text = cat("came to another operation: ", same->text())};
  }
  answer.came =
      same != operations.end() || (!operations.empty() && operations.back().sequence > sequence);
  if (!answer.came && is_waiting()) answer.left_s = 0.0;
  return answer;
}

std::string Whereabouts::place() const {
  if (at_the_end_) return "is at the end of the job";
  const std::string quiet = fixed(std::chrono::duration<double>(Clock::now() - beat_).count(), 1);
  const std::string last = last_ ? cat("last came to ", name_of(*last_)) : "came to no operation";
  if (entered_) {
    return cat("has been in section ", section_name(section_), " for ", quiet, " s, ", last);
  }
  if (is_waiting()) {
    return cat("has been waiting in ", last_->text(), " for ", quiet, " s");
  }
  return cat("is in section ", section_name(section_), ", ", last, ", ", quiet, " s ago");
}

}  // namespace effuse
