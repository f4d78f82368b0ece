#include "core/stacks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <latch>
#include <thread>

namespace effuse {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Without external linkage, as most of what is worth naming.
[[gnu::noinline]] void wait_where_the_test_looks(std::latch& arrived, std::latch& leave) {
  arrived.count_down();
  leave.wait();
  asm volatile("");  // keeps this frame: no tail call
}

Stack stack_of(const std::string& thread) {
  for (const Stack& stack : stacks_of_all_threads()) {
    if (stack.threads.find("(" + thread + ")") != std::string::npos) return stack;
  }
  ADD_FAILURE() << "no thread is called " << thread;
  return {};
}

class Stacks : public ::testing::Test {
 protected:
  /// A thread that is in wait_where_the_test_looks() once wait() has returned.
  template <class Before>
  void start(const char* name, Before before) {
    threads_.emplace_back([this, name, before] {
      name_this_thread(name);
      before();
      wait_where_the_test_looks(arrived_, leave_);
    });
  }
  void TearDown() override {
    leave_.count_down();
    for (auto& thread : threads_) thread.join();
  }

  std::latch arrived_{2};
  std::latch leave_{1};
  std::vector<std::thread> threads_;
};

TEST_F(Stacks, NameTheFunctionsAThreadIsIn) {
  start("sleeper", [] {});
  arrived_.arrive_and_wait();
  EXPECT_THAT(stack_of("sleeper").frames, Contains(HasSubstr("wait_where_the_test_looks")));
  EXPECT_THAT(stack_of("sleeper").frames, Contains(HasSubstr("(test_core_stacks_test+0x")));
}

TEST_F(Stacks, AreThoseOfTheAskerToo) {
  arrived_.count_down(2);
  std::vector<std::string> all;
  for (const Stack& stack : stacks_of_all_threads()) {
    all.insert(all.end(), stack.frames.begin(), stack.frames.end());
  }
  EXPECT_THAT(all, Contains(HasSubstr("stacks_of_all_threads")));
}

TEST_F(Stacks, SayWhichThreadDoesNotReact) {
  start("deaf", [] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  });
  arrived_.arrive_and_wait();
  EXPECT_THAT(stack_of("deaf").frames, IsEmpty());
  EXPECT_THAT(stack_of("deaf").frames, IsEmpty()) << "the second time too";
}

TEST(StacksAlike, AreSaidOnce) {
  std::latch arrived(3);
  std::latch leave(1);
  const auto wait = [&] {
    name_this_thread("twin");
    wait_where_the_test_looks(arrived, leave);
  };
  std::thread one(wait);
  std::thread two(wait);
  arrived.arrive_and_wait();
  // Between arriving and waiting they differ: asked again until both have come to rest.
  std::string threads;
  while (std::ranges::count(threads, '(') != 2) threads = stack_of("twin").threads;
  leave.count_down();
  one.join();
  two.join();
  EXPECT_THAT(threads, HasSubstr("(twin), thread "));
}

}  // namespace
}  // namespace effuse
