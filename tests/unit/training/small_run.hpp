#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <utility>
#include <vector>

#include "comm/backends.hpp"
#include "diffusion/schedule.hpp"
#include "support/temporary_folder.hpp"
#include "training/optimiser.hpp"
#include "training/trainer.hpp"
#include "unit/shards/example.hpp"
#include "unit/training/linear_stack.hpp"

namespace effuse {

/// A training run of one rank on 13 images of 4x4, without files of its own.
class SmallRun {
 public:
  static constexpr std::int64_t kBatch = 4;

  explicit SmallRun(Config config = {}) : config_(std::move(config)) {
    config_.run.batch_size = kBatch;
    config_.diffusion.timesteps = 10;
    write_example_dataset(folder_.path(), 13);
    dataset_ = std::make_unique<ShardedDataset>(ShardedDataset::open(folder_.path()));
  }

  /// Runs steps `done` + 1 to `total`.
  TrainingEnd run(std::int64_t total, std::vector<std::unique_ptr<TrainingHook>> hooks,
                  std::int64_t bad_steps = 3, std::int64_t done = 0) {
    const Schedule schedule(config_.diffusion);
    TrainStep step(network, state, schedule, *comm_, config_, {total, dataset_->size()}, at::kCPU);
    Loader loader(BatchSource(*dataset_, {.batch_size = kBatch}),
                  {.first_step = done, .workers = 0});
    BatchFeed feed(loader, at::kCPU);
    return Trainer(step, feed, {.total_steps = total, .bad_steps = bad_steps}, std::move(hooks))
        .run(done);
  }

  const ShardedDataset& dataset() const { return *dataset_; }

  LinearStack network{5, 3, {.channels = 3, .sample_size = 4}};
  FlatState state{network, moments_of({}), {.order = backward_order(3)}};

 private:
  Config config_;
  TemporaryFolder folder_;
  std::unique_ptr<ShardedDataset> dataset_;
  std::unique_ptr<Communicator> comm_ = make_single({});
};

/// Writes down what the loop tells it.
class Diary : public TrainingHook {
 public:
  struct Page {
    std::vector<std::string> events;
    std::vector<StepReport> reports;
    std::vector<at::Tensor> weights;  ///< after the steps that it looks at
  };

  explicit Diary(Page& page, std::vector<std::int64_t> looks_at = {},
                 const FlatState* state = nullptr)
      : page_(page), looks_at_(std::move(looks_at)), state_(state) {}

  void before_training(std::int64_t done) override { note("begin", done); }
  void before_step(std::int64_t step) override { note("before", step); }
  bool looks_at_state(std::int64_t step) const override {
    return std::ranges::find(looks_at_, step) != looks_at_.end();
  }
  void after_step(const StepReport& report) override {
    note("after", report.step);
    page_.reports.push_back(report);
    if (state_ != nullptr && looks_at_state(report.step)) {
      page_.weights.push_back(state_->parameters().clone());
    }
  }
  void after_training(std::int64_t done, TrainingEnd) override { note("end", done); }

 private:
  void note(const char* what, std::int64_t step) {
    page_.events.push_back(std::string(what) + " " + std::to_string(step));
  }

  Page& page_;
  std::vector<std::int64_t> looks_at_;
  const FlatState* state_;
};

/// One hook, or any number, as Trainer takes them.
template <class... Hook>
std::vector<std::unique_ptr<TrainingHook>> hooks_of(Hook... hook) {
  std::vector<std::unique_ptr<TrainingHook>> hooks;
  (hooks.push_back(std::make_unique<Hook>(std::move(hook))), ...);
  return hooks;
}

}  // namespace effuse
