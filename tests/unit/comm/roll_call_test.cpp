#include "comm/roll_call.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "comm/backends.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "support/temporary_folder.hpp"
#include "support/world.hpp"

/// Who is missing is named, whatever rank it is and whatever it does: on two ranks or more.
namespace effuse {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::session;
using testing::world;

char state_of(pid_t process) {
  std::ifstream file(cat("/proc/", process, "/stat"));
  std::string line;
  std::getline(file, line);
  return line.at(line.rfind(')') + 2);
}

void wait_for(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

/// The odd rank does something else, the others wait for it in number 2 of a communicator whose
/// steps and previews have short deadlines.
class RollCallOf : public ::testing::TestWithParam<int> {
 protected:
  RollCallOf() {
    log::configure(
        {.rank = session().rank(), .world_size = session().world_size(), .file = folder_ / "log"});
    meeting_place_ = world().broadcast_text(folder_.path().string());
    communicator_->barrier();
    communicator_->enter(CommSection::step);
  }
  ~RollCallOf() override {
    log::configure({.rank = session().rank(), .world_size = session().world_size(), .file = {}});
  }

  bool is_odd_one() const { return session().rank() == GetParam(); }

  /// Told by files, for ranks that are in no operation.
  void say_done() const {
    std::ofstream(meeting_place_ / std::to_string(session().rank())) << "done";
  }
  bool others_are_done() const {
    for (int k = 0; k < session().world_size(); ++k) {
      if (k != GetParam() && !std::filesystem::exists(meeting_place_ / std::to_string(k))) {
        return false;
      }
    }
    return true;
  }

  /// The message of the deadline that number 2 misses.
  std::string miss() const {
    try {
      communicator_->all_reduce(at::zeros({3}, at::kFloat));
    } catch (const DeadlineError& error) {
      return error.what();
    }
    return "no DeadlineError";
  }

  TemporaryFolder folder_;
  std::filesystem::path meeting_place_;
  std::unique_ptr<Communicator> communicator_ =
      make_mpi(session(), {.startup_s = 60.0, .step_s = 0.2, .preview_s = 0.3, .save_s = 60.0});
};

INSTANTIATE_TEST_SUITE_P(Rank, RollCallOf, ::testing::Values(0, 1),
                         [](const auto& instance) { return std::to_string(instance.param); });

TEST_P(RollCallOf, ARankThatIsElsewhereIsNamedWithItsPlace) {
  if (is_odd_one()) {
    const SectionScope preview(*communicator_, CommSection::preview);
    wait_for([&] { return others_are_done(); });
  } else {
    const std::string message = miss();
    say_done();
    EXPECT_THAT(message, HasSubstr("all_reduce of 3 x float32 (sum), number 2, section step"));
    EXPECT_THAT(message, ContainsRegex(cat("rank ", GetParam(),
                                           " has been in section preview for "
                                           "[0-9.]+ s, last came to barrier, number 1")));
    EXPECT_THAT(message, Not(HasSubstr("does not answer")));
  }
  world().barrier();
}

TEST_P(RollCallOf, ARankThatIsStoppedDoesNotAnswer) {
  const auto pids = world().all_gather_text(std::to_string(::getpid()));
  const pid_t odd_pid = std::stoi(pids[static_cast<std::size_t>(GetParam())]);
  const int stopper = GetParam() == 0 ? 1 : 0;
  if (!is_odd_one()) {
    if (session().rank() == stopper) {
      EXPECT_EQ(::kill(odd_pid, SIGSTOP), 0);
    }
    wait_for([&] { return state_of(odd_pid) == 'T'; });
    const std::string message = miss();
    say_done();
    EXPECT_THAT(message, HasSubstr(cat("rank ", GetParam(), " on ", session().host(),
                                       " does not answer (it is stopped, or its host is gone)")));
    EXPECT_THAT(message, Not(HasSubstr("has been"))) << "nobody else is missing";
    if (session().rank() == stopper) {
      wait_for([&] { return others_are_done(); });
      EXPECT_EQ(::kill(odd_pid, SIGCONT), 0);
    }
  }
  world().barrier();
}

TEST_P(RollCallOf, ARankThatIsBusyWithinItsOwnDeadlineIsWaitedFor) {
  const auto patient =
      make_mpi(session(), {.startup_s = 60.0, .step_s = 2.0, .preview_s = 60.0, .save_s = 60.0});
  patient->enter(CommSection::step);
  at::Tensor ones = at::ones({1}, at::kFloat);
  if (is_odd_one()) {
    const SectionScope preview(*patient, CommSection::preview);
    const int before = session().roll_call()->times_asked();
    wait_for([&] { return session().roll_call()->times_asked() > before; });
  }
  EXPECT_NO_THROW(patient->all_reduce(ones));
  EXPECT_EQ(ones.item<float>(), static_cast<float>(session().world_size()));
}

TEST(RollCall, IsSilentWhileNobodyMissesADeadline) {
  const int before = session().roll_call()->times_asked();
  for (int i = 0; i < 100; ++i) world().barrier();
  EXPECT_EQ(session().roll_call()->times_asked(), before);
}

}  // namespace
}  // namespace effuse
