#include "comm/whereabouts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace effuse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Deadlines kDeadlines{.startup_s = 100, .step_s = 200, .preview_s = 300, .save_s = 400};

OperationLabel operation(std::uint64_t sequence, const std::string& name = "barrier") {
  return {CommSection::step, name, sequence, kDeadlines.step_s};
}

class AtOperation41 : public ::testing::Test {
 protected:
  AtOperation41() {
    whereabouts_.enter(channel_, CommSection::step);
    whereabouts_.come_to(channel_, operation(40, "all_reduce"));
    whereabouts_.leave(channel_);
    whereabouts_.come_to(channel_, operation(41));
    whereabouts_.leave(channel_);
  }
  Account account(const OperationLabel& asked) const {
    return whereabouts_.account(channel_, asked.sequence, asked.text());
  }

  Whereabouts whereabouts_{50};
  int channel_ = whereabouts_.add_channel(kDeadlines);
};

TEST(Whereabouts, ARankThatHasToldNothingIsStarting) {
  const Whereabouts whereabouts(50);
  const Account account = whereabouts.account(1, 7, operation(7).text());
  EXPECT_FALSE(account.came);
  EXPECT_NEAR(account.left_s, 50, 10);
  EXPECT_THAT(account.text, StartsWith("has been in section startup for 0."));
  EXPECT_THAT(account.text, HasSubstr("came to no operation"));
}

TEST_F(AtOperation41, HasComeToThatAndToThoseBefore) {
  EXPECT_TRUE(account(operation(41)).came);
  EXPECT_TRUE(account(operation(40, "all_reduce")).came);
  EXPECT_TRUE(account(operation(3)).came) << "long ago, and forgotten";
}

TEST_F(AtOperation41, HasNotComeToTheNext) {
  const Account next = account(operation(42));
  EXPECT_FALSE(next.came);
  EXPECT_NEAR(next.left_s, kDeadlines.step_s, 10);
  EXPECT_THAT(next.text, StartsWith("is in section step, last came to barrier, number 41, 0."));
}

TEST_F(AtOperation41, IsToldApartByTheNameOfTheOperation) {
  const Account other = account(operation(41, "broadcast"));
  EXPECT_FALSE(other.came);
  EXPECT_LE(other.left_s, 0.0);
  EXPECT_EQ(other.text, "came to another operation: barrier, number 41, section step");
}

TEST_F(AtOperation41, HasTheTimeOfTheSectionItIsIn) {
  whereabouts_.enter(channel_, CommSection::save);
  const Account next = account(operation(42));
  EXPECT_NEAR(next.left_s, kDeadlines.save_s, 10);
  EXPECT_THAT(next.text, StartsWith("has been in section save for 0."));
  EXPECT_THAT(next.text, HasSubstr("last came to barrier, number 41"));
}

TEST_F(AtOperation41, HasNoTimeWhileItWaitsElsewhere) {
  const int other = whereabouts_.add_channel(kDeadlines);
  whereabouts_.come_to(other, operation(5, "broadcast"));
  const Account waiting = account(operation(42));
  EXPECT_LE(waiting.left_s, 0.0);
  EXPECT_THAT(waiting.text,
              StartsWith("has been waiting in broadcast, number 5, section step for 0."));
  whereabouts_.leave(other);
  EXPECT_NEAR(account(operation(42)).left_s, kDeadlines.step_s, 10);
}

TEST_F(AtOperation41, DoesNotWaitInACommunicatorThatIsGone) {
  whereabouts_.come_to(channel_, operation(42));
  whereabouts_.close(channel_);
  EXPECT_NEAR(account(operation(43)).left_s, kDeadlines.step_s, 10);
}

TEST_F(AtOperation41, IsMissedInOtherCommunicatorsToo) {
  const int other = whereabouts_.add_channel(kDeadlines);
  const Account account = whereabouts_.account(other, 1, operation(1).text());
  EXPECT_FALSE(account.came);
  EXPECT_THAT(account.text, HasSubstr("last came to barrier, number 41"));
}

TEST_F(AtOperation41, DoesNotComeAnyMoreOnceItsWorkIsDone) {
  const OperationLabel end{CommSection::startup, "the end of the job", 0, 600};
  whereabouts_.come_to(Whereabouts::kSession, end);
  const Account next = account(operation(42));
  EXPECT_FALSE(next.came);
  EXPECT_LE(next.left_s, 0.0);
  EXPECT_EQ(next.text, "is at the end of the job");
  EXPECT_TRUE(whereabouts_.account(Whereabouts::kSession, 0, end.text()).came);
}

}  // namespace
}  // namespace effuse
