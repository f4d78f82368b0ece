#include "app/bad_step_hook.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"
#include "unit/shards/example.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kBatch = 4;

class BadStepHookTest : public ::testing::Test {
 protected:
  BadStepHookTest() {
    write_example_dataset(data_.path(), 13);
    dataset_ = std::make_unique<ShardedDataset>(ShardedDataset::open(data_.path()));
  }

  BatchSource source() const { return {*dataset_, {.seed = 3, .batch_size = kBatch}}; }
  void tell(const StepReport& report) { BadStepHook(source(), folder()).after_step(report); }
  std::filesystem::path folder() const { return run_ / "bad_steps"; }

  static StepReport bad_step(std::int64_t step) {
    return {.step = step, .images = step * kBatch, .loss = NAN, .grad_norm = 3.5, .good = false};
  }

  TemporaryFolder data_, run_;
  std::unique_ptr<ShardedDataset> dataset_;
};

TEST_F(BadStepHookTest, writes_down_the_images_of_the_batch) {
  tell(bad_step(3));
  const auto record = nlohmann::json::parse(read_file(folder() / "step-00000003.json"));
  EXPECT_EQ(record.at("step"), 3);
  EXPECT_EQ(record.at("loss"), "nan");
  EXPECT_EQ(record.at("grad_norm"), 3.5);
  const Batch batch = source().read(2);  // batches are numbered from 0, steps from 1
  EXPECT_EQ(record.at("images").get<std::vector<std::int64_t>>(), batch.indices);
  EXPECT_EQ(record.at("first_position"), batch.positions.front());
}

TEST_F(BadStepHookTest, writes_nothing_of_a_good_step_or_a_mere_overflow) {
  StepReport report = bad_step(3);
  report.good = true;
  tell(report);
  report = bad_step(3);
  report.loss = 1.0;
  report.grad_norm = INFINITY;
  report.loss_scale = 65536;
  tell(report);
  EXPECT_FALSE(std::filesystem::exists(folder()));
}

TEST_F(BadStepHookTest, writes_down_a_spike_of_a_scaled_loss) {
  StepReport report = bad_step(2);
  report.loss = 1.0;
  report.loss_scale = 65536;
  tell(report);
  EXPECT_TRUE(std::filesystem::exists(folder() / "step-00000002.json"));
}

TEST_F(BadStepHookTest, does_not_end_training_where_it_cannot_write) {
  write_file_atomically(folder(), "in the way");
  EXPECT_NO_THROW(tell(bad_step(3)));
}

}  // namespace
}  // namespace effuse
