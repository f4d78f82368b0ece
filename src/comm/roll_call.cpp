#include "comm/roll_call.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "comm/mailbox.hpp"
#include "core/log.hpp"
#include "core/stacks.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = RollCallMessage::Kind;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kAnswer(1.5);
constexpr Seconds kSeen(1.0);
constexpr std::chrono::milliseconds kLookIdle(40);
constexpr std::chrono::milliseconds kLookWhileAsking(2);
constexpr double kShortestWait_s = 0.05;
constexpr std::size_t kNamed = 8;

RollCallMessage about(Kind kind, int channel, const OperationLabel& operation) {
  RollCallMessage message{.kind = kind, .channel = channel, .sequence = operation.sequence};
  message.set_operation(operation.text());
  return message;
}

/// "a; b; c", and how many more.
std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(parts.size(), kNamed); ++i) {
    text += cat(i == 0 ? "" : "; ", parts[i]);
  }
  if (parts.size() > kNamed) text += cat(" and ", parts.size() - kNamed, " more");
  return text;
}

}  // namespace

/// Questions come and go here. All MPI is in run(); what other threads want sent lies in outbox_.
class RollCall::Desk {
 public:
  Desk(int rank, std::vector<std::string> hosts, double startup_s)
      : whereabouts(startup_s), rank_(rank), hosts_(std::move(hosts)), thread_([this] { run(); }) {}

  ~Desk() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Finding ask(int channel, const OperationLabel& operation);

  Whereabouts whereabouts;
  std::atomic<int> times_asked{0};

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// The operation that another rank has asked about, and what came of it.
  struct Heard {
    int from = 0;
    int channel = 0;
    std::uint64_t sequence = 0;
    Clock::time_point when = Clock::now();
    std::optional<std::string> verdict{};
  };

  bool has_heard_of(int channel, std::uint64_t sequence) const {
    return heard_ && heard_->channel == channel && heard_->sequence == sequence;
  }

  void run();
  void exchange_letters();
  void handle(const Mailbox::Letter& letter);
  void answer(const Mailbox::Letter& letter);
  void take_note(const Mailbox::Letter& letter);

  std::optional<Finding> verdict_heard(int channel, const OperationLabel& operation) const;
  std::optional<Finding> await_lower_rank(Lock& lock, int channel, const OperationLabel& operation);
  void question_all(Lock& lock, int channel, const OperationLabel& operation);
  Finding judge(const OperationLabel& operation) const;
  void tell_all(Lock& lock, int channel, const OperationLabel& operation, const Finding& finding);
  bool is_lone() const { return ended_ || broken_; }

  int rank_;
  std::vector<std::string> hosts_;
  Mailbox mailbox_;

  std::mutex asking_;  ///< one question at a time
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<int, RollCallMessage>> outbox_;
  std::int64_t question_ = 0;
  bool open_ = false;
  std::vector<std::optional<Account>> answers_;  ///< to question_, by rank
  std::size_t unseen_ = 0;                       ///< ranks told of a verdict that have not said so
  std::optional<Heard> heard_;
  bool broken_ = false;
  bool ended_ = false;
  std::thread thread_;  // last: it uses all of the above
};

void RollCall::Desk::run() {
  name_this_thread("roll call");
  try {
    Lock lock(mutex_);
    while (!ended_) {
      lock.unlock();
      exchange_letters();
      lock.lock();
      changed_.wait_for(lock, open_ ? kLookWhileAsking : kLookIdle,
                        [this] { return ended_ || !outbox_.empty(); });
    }
  } catch (const std::exception& error) {
    log::record("the roll call of the ranks is over: ", error.what());
    const std::lock_guard lock(mutex_);
    broken_ = true;
    changed_.notify_all();
  }
}

void RollCall::Desk::exchange_letters() {
  std::vector<std::pair<int, RollCallMessage>> letters;
  {
    const std::lock_guard lock(mutex_);
    letters.swap(outbox_);
  }
  for (const auto& [to, message] : letters) mailbox_.send(to, message);
  while (const auto letter = mailbox_.receive()) handle(*letter);
}

void RollCall::Desk::handle(const Mailbox::Letter& letter) {
  switch (letter.message.kind) {
    case Kind::question:
      return answer(letter);
    case Kind::verdict:
      return take_note(letter);
    case Kind::answer: {
      const std::lock_guard lock(mutex_);
      const RollCallMessage& message = letter.message;
      if (!open_ || message.question != question_) return;
      answers_[static_cast<std::size_t>(letter.from)] =
          Account{message.came != 0, message.left_s, message.text.data()};
      break;
    }
    case Kind::seen: {
      const std::lock_guard lock(mutex_);
      if (letter.message.question == question_ && unseen_ > 0) --unseen_;
      break;
    }
  }
  changed_.notify_all();
}

void RollCall::Desk::answer(const Mailbox::Letter& letter) {
  RollCallMessage message = letter.message;
  const Account account =
      whereabouts.account(message.channel, message.sequence, message.operation.data());
  message.kind = Kind::answer;
  message.came = account.came ? 1 : 0;
  message.left_s = account.left_s;
  message.set_text(account.text);
  ++times_asked;
  const std::lock_guard lock(mutex_);
  const bool knows_better = has_heard_of(message.channel, message.sequence) &&
                            (heard_->verdict || heard_->from < letter.from);
  if (!knows_better) heard_ = Heard{letter.from, message.channel, message.sequence};
  outbox_.emplace_back(letter.from, message);
}

/// The stacks are in the log before the rank that told this one goes on to end the job.
void RollCall::Desk::take_note(const Mailbox::Letter& letter) {
  RollCallMessage message = letter.message;
  log::record("rank ", letter.from, " has waited too long in ", message.operation.data(), ": ",
              message.text.data());
  log_stacks_once();
  const std::lock_guard lock(mutex_);
  heard_ = Heard{letter.from, message.channel, message.sequence, Clock::now(), message.text.data()};
  message.kind = Kind::seen;
  outbox_.emplace_back(letter.from, message);
  changed_.notify_all();
}

std::optional<RollCall::Finding> RollCall::Desk::verdict_heard(
    int channel, const OperationLabel& operation) const {
  if (!has_heard_of(channel, operation.sequence) || !heard_->verdict) return std::nullopt;
  return Finding{0.0, cat("as rank ", heard_->from, " found, ", *heard_->verdict)};
}

/// Where ranks miss the same one, as a rule all find out within a moment, and one question is
/// enough: a rank leaves it to a lower one that has asked already.
std::optional<RollCall::Finding> RollCall::Desk::await_lower_rank(Lock& lock, int channel,
                                                                  const OperationLabel& operation) {
  const auto asked = [&] { return has_heard_of(channel, operation.sequence); };
  if (asked() && heard_->from < rank_) {
    const auto until = heard_->when + std::chrono::duration_cast<Clock::duration>(kAnswer + kSeen);
    changed_.wait_until(lock, until, [&] { return is_lone() || !asked() || heard_->verdict; });
  }
  return verdict_heard(channel, operation);
}

void RollCall::Desk::question_all(Lock& lock, int channel, const OperationLabel& operation) {
  RollCallMessage message = about(Kind::question, channel, operation);
  message.question = ++question_;
  answers_.assign(hosts_.size(), std::nullopt);
  answers_[static_cast<std::size_t>(rank_)] = Account{.came = true};
  for (int k = 0; k < static_cast<int>(hosts_.size()); ++k) {
    if (k != rank_) outbox_.emplace_back(k, message);
  }
  open_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, kAnswer, [&] {
    return is_lone() || verdict_heard(channel, operation) ||
           std::ranges::all_of(answers_, [](const auto& answer) { return answer.has_value(); });
  });
  open_ = false;
}

RollCall::Finding RollCall::Desk::judge(const OperationLabel& operation) const {
  if (is_lone()) return {0.0, "the other ranks could not be asked where they are"};
  std::vector<std::string> missing;
  bool silence = false;
  double busy_s = operation.deadline_s;
  double late_s = 0.0;
  for (std::size_t k = 0; k < answers_.size(); ++k) {
    const auto& account = answers_[k];
    if (!account) {
      silence = true;
      missing.push_back(cat("rank ", k, " on ", hosts_[k],
                            " does not answer (it is stopped, or its host is gone)"));
    } else if (!account->came) {
      busy_s = std::min(busy_s, account->left_s);
      missing.push_back(cat("rank ", k, " ", account->text));
    } else {
      late_s = std::max(late_s, account->left_s);
    }
  }
  const double wait_s = missing.empty() ? std::min(late_s, operation.deadline_s) : busy_s;
  if (missing.empty()) missing.push_back("all ranks have come to it (what joins them is stuck)");
  const bool overdue = silence || wait_s <= 0.0;
  return {overdue ? 0.0 : std::max(wait_s, kShortestWait_s), joined(missing)};
}

void RollCall::Desk::tell_all(Lock& lock, int channel, const OperationLabel& operation,
                              const Finding& finding) {
  RollCallMessage message = about(Kind::verdict, channel, operation);
  message.question = question_;
  message.set_text(finding.missing);
  unseen_ = 0;
  for (std::size_t k = 0; k < answers_.size(); ++k) {
    if (!answers_[k] || static_cast<int>(k) == rank_) continue;
    outbox_.emplace_back(static_cast<int>(k), message);
    ++unseen_;
  }
  open_ = true;
  changed_.notify_all();
  lock.unlock();
  log_stacks_once();
  lock.lock();
  changed_.wait_for(lock, kSeen, [this] { return is_lone() || unseen_ == 0; });
  open_ = false;
}

RollCall::Finding RollCall::Desk::ask(int channel, const OperationLabel& operation) {
  const std::lock_guard one_at_a_time(asking_);
  Lock lock(mutex_);
  if (auto told = await_lower_rank(lock, channel, operation)) return *told;
  question_all(lock, channel, operation);
  if (auto told = verdict_heard(channel, operation)) return *told;
  Finding finding = judge(operation);
  if (finding.wait_s <= 0.0) tell_all(lock, channel, operation, finding);
  return finding;
}

RollCall::RollCall(int rank, std::vector<std::string> hosts, double startup_s)
    : desk_(std::make_unique<Desk>(rank, std::move(hosts), startup_s)) {}

RollCall::~RollCall() = default;

Whereabouts& RollCall::own() { return desk_->whereabouts; }

RollCall::Finding RollCall::ask(int channel, const OperationLabel& operation) {
  return desk_->ask(channel, operation);
}

int RollCall::times_asked() const { return desk_->times_asked; }

}  // namespace effuse
