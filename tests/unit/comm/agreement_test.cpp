#include "comm/agreement.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using testing::world;

int last_rank() { return world().world_size() - 1; }

TEST(Agree, PassesWhereAllSucceed) {
  bool done = false;
  agree(world(), [&] { done = true; });
  EXPECT_TRUE(done);
}

TEST(Agree, OneFailureIsThrownAtAllRanksWithItsCode) {
  try {
    agree(world(), [] {
      if (world().rank() == last_rank()) throw DataError("shard 3 is damaged");
    });
    FAIL() << "agree() did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_data);
    EXPECT_EQ(std::string(error.what()), last_rank() == 0
                                             ? "shard 3 is damaged"
                                             : cat("rank ", last_rank(), ": shard 3 is damaged"));
  }
  EXPECT_NO_THROW(agree(world(), [] {})) << "the communicator is usable after an agreed failure";
}

TEST(Agree, AFailureThatAllShareNamesNoRank) {
  try {
    agree(world(), [] { throw ConfigError("no such folder"); });
    FAIL() << "agree() did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_configuration);
    EXPECT_STREQ(error.what(), "no such folder");
  }
}

TEST(Agree, SeveralFailuresGiveTheFirstAndCountTheOthers) {
  if (world().world_size() < 3) GTEST_SKIP() << "needs three ranks";
  try {
    agree(world(), [] {
      if (world().rank() == 1) throw DataError("one");
      if (world().rank() == 2) throw ConfigError("two");
    });
    FAIL() << "agree() did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_data);
    EXPECT_STREQ(error.what(), "rank 1: one (and 1 other rank failed)");
  }
}

TEST(Agree, OtherExceptionsAreFailures) {
  try {
    agree(world(), [] { throw std::runtime_error("disk"); });
    FAIL() << "agree() did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::failure);
    EXPECT_STREQ(error.what(), "disk");
  }
}

TEST(Agree, ValuesAreEachRanksOwn) {
  const auto mine = agree_value(world(), [] { return std::make_unique<int>(world().rank()); });
  EXPECT_EQ(*mine, world().rank());
  EXPECT_THROW(agree_value(world(), []() -> int { throw DataError("no"); }), AgreedError);
}

}  // namespace
}  // namespace effuse
