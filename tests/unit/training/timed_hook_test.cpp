#include "training/timed_hook.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

namespace effuse {
namespace {

using ::testing::HasSubstr;

class Calls : public TrainingHook {
 public:
  explicit Calls(std::function<void()> call) : call_(std::move(call)) {}
  void after_step(const StepReport&) override { call_(); }

 private:
  std::function<void()> call_;
};

TEST(TimedHook, says_what_training_stands_still_for) {
  metrics::Registry registry;
  GoodputMeter meter(Goodput{});
  std::string during;
  const auto hook = timed(std::make_unique<Calls>([&] { during = registry.text(); }), &meter,
                          registry, Lost::evaluation);
  EXPECT_THAT(registry.text(), HasSubstr("effuse_train_paused{reason=\"evaluation\"} 0\n"));
  hook->after_step({});
  EXPECT_THAT(during, HasSubstr("effuse_train_paused{reason=\"evaluation\"} 1\n"));
  EXPECT_THAT(registry.text(), HasSubstr("effuse_train_paused{reason=\"evaluation\"} 0\n"));
  EXPECT_GT(meter.goodput().lost_s(Lost::evaluation), 0.0);
}

TEST(TimedHook, that_fails_stands_still_no_longer) {
  metrics::Registry registry;
  GoodputMeter meter(Goodput{});
  const auto hook = timed(std::make_unique<Calls>([] { throw std::runtime_error("no"); }), &meter,
                          registry, Lost::checkpoint);
  EXPECT_THROW(hook->after_step({}), std::runtime_error);
  EXPECT_THAT(registry.text(), HasSubstr("effuse_train_paused{reason=\"checkpoint\"} 0\n"));
}

TEST(TimedHook, without_a_meter_is_the_hook_itself) {
  metrics::Registry registry;
  auto own = std::make_unique<Calls>([] {});
  const TrainingHook* expected = own.get();
  EXPECT_EQ(timed(std::move(own), nullptr, registry, Lost::preview).get(), expected);
  EXPECT_EQ(registry.text(), "");
}

}  // namespace
}  // namespace effuse
