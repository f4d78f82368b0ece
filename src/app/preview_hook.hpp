#pragma once

#include <string>
#include <vector>

#include "app/grid_picture.hpp"
#include "app/run_folder.hpp"
#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "diffusion/schedule.hpp"
#include "generation/class_plan.hpp"
#include "training/flat_state.hpp"
#include "training/trainer.hpp"

namespace effuse {

class Network;

/// Preview grids from the averaged weights with fixed seeds, before the first step, at intervals
/// and at the end: previews/step-00001000.png, a column a class. All ranks compute, rank 0 writes.
class PreviewHook : public TrainingHook {
 public:
  struct Parts {
    Network& network;
    FlatState& state;
    const Schedule& schedule;
    Communicator& comm;
    at::Device device;
    const Config& config;
    const RunFolder& folder;
    std::vector<std::string> class_names;  ///< empty: unconditional
  };

  explicit PreviewHook(Parts parts);

  void before_training(std::int64_t steps_done) override;
  bool looks_at_state(std::int64_t step) const override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void preview(std::int64_t step);
  at::Tensor generate(std::int64_t images);
  void write_grid(std::int64_t step, const at::Tensor& images, const GridLayout& layout) const;

  Parts parts_;
  ClassPlan classes_;
  std::int64_t last_step_ = -1;
};

}  // namespace effuse
