#include "core/lock_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "core/error.hpp"
#include "core/lock_holder.hpp"
#include "core/text.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

TEST(LockFile, NamesItsHolderToWhoComesSecond) {
  const TemporaryFolder folder;
  const LockFile first(folder / ".lock", "the run", "Wait.");
  const std::string message =
      message_of<ConfigError>([&] { LockFile(folder / ".lock", "the run", "Wait."); });
  EXPECT_THAT(message, HasSubstr("the run is in use by test_core_lock_file_test on "));
  EXPECT_THAT(message, HasSubstr(cat("(process ", ::getpid(), "). Wait.")));
}

TEST(LockFile, IsGoneWithItsHolder) {
  const TemporaryFolder folder;
  { const LockFile first(folder / ".lock", "the run", ""); }
  EXPECT_FALSE(std::filesystem::exists(folder / ".lock"));
  EXPECT_NO_THROW(LockFile(folder / ".lock", "the run", ""));
}

TEST(LockFile, IsNotRefusedBecauseSomebodyAsks) {
  const TemporaryFolder folder;
  std::ofstream(folder / ".lock") << "left by a process that was killed";
  std::atomic<bool> done = false;
  std::jthread asks([&] {
    while (!done) lock_holder(folder / ".lock");
  });
  for (int i = 0; i < 200; ++i) {
    std::optional<LockFile> lock;
    EXPECT_NO_THROW(lock.emplace(folder / ".lock", "the run", ""));
    lock.reset();
    std::ofstream(folder / ".lock") << "again";
  }
  done = true;
}

TEST(LockFile, OfAProcessThatWasKilledHoldsNobodyUp) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const LockFile lock(folder / ".lock", "the run", "");
    [[maybe_unused]] const ssize_t written = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THROW(LockFile(folder / ".lock", "the run", ""), ConfigError);
  EXPECT_EQ(lock_holder(folder / ".lock"), LockHolder::alive);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(lock_holder(folder / ".lock"), LockHolder::gone);
  EXPECT_TRUE(std::filesystem::exists(folder / ".lock")) << "it could not clean up";
  EXPECT_NO_THROW(LockFile(folder / ".lock", "the run", ""));
  EXPECT_FALSE(std::filesystem::exists(folder / ".lock"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(LockFile, IsNotTakenByAsking) {
  const TemporaryFolder folder;
  EXPECT_EQ(lock_holder(folder / ".lock"), LockHolder::unknown);
  EXPECT_FALSE(std::filesystem::exists(folder / ".lock"));
  const LockFile first(folder / ".lock", "the run", "");
  EXPECT_EQ(lock_holder(folder / ".lock"), LockHolder::alive) << "of this process, too";
  EXPECT_EQ(lock_holder(folder / ".lock"), LockHolder::alive);
}

TEST(LockFile, WithoutHolderThatAnotherHostWroteSaysNothing) {
  const TemporaryFolder folder;
  std::ofstream(folder / ".lock") << "effuse-train on another.host.of.none (process 7)";
  EXPECT_EQ(lock_holder(folder / ".lock"), LockHolder::unknown);
}

TEST(LockFile, IsWaitedForWhereThatIsWanted) {
  const TemporaryFolder folder;
  std::optional<LockFile> first;
  first.emplace(folder / ".lock", "the run", "");
  std::atomic<bool> released = false;
  std::thread second([&] {
    const LockFile lock(folder / ".lock");
    EXPECT_TRUE(released);
    EXPECT_THROW(LockFile(folder / ".lock", "the run", ""), ConfigError);
  });
  released = true;
  first.reset();
  second.join();
  EXPECT_FALSE(std::filesystem::exists(folder / ".lock"));
}

TEST(LockFile, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(LockFile(folder / "none/.lock", "the run", ""), std::system_error);
}

}  // namespace
}  // namespace effuse
