#include "core/process_age.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

namespace effuse {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The system counts in ticks, a hundredth of a second.
TEST(ProcessAge, is_no_more_than_has_passed_since_the_process_began) {
  const auto before = Clock::now();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(process_age_s() <= seconds_since(before) + 0.05 ? 0 : 1);
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ProcessAge, grows) {
  const double age_s = process_age_s();
  const auto begin = Clock::now();
  while (process_age_s() <= age_s) ASSERT_LT(seconds_since(begin), 60) << "age " << age_s;
}

}  // namespace
}  // namespace effuse
