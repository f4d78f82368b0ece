#include "core/stop.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace effuse {
namespace {

TEST(Stop, ASignalOnlySetsTheFlag) {
  install_stop_handlers();
  EXPECT_EQ(stop_signal(), 0);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) {
    std::raise(signal);
    EXPECT_EQ(stop_signal(), signal);
  }
}

TEST(StopDeathTest, ASecondInterruptEndsTheProcess) {
  EXPECT_EXIT(
      {
        install_stop_handlers();
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(Stop, SignalsHaveNames) {
  EXPECT_STREQ(signal_name(0), "none");
  EXPECT_STREQ(signal_name(SIGUSR1), "SIGUSR1");
  EXPECT_STREQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_STREQ(signal_name(SIGHUP), "another signal");
}

}  // namespace
}  // namespace effuse
