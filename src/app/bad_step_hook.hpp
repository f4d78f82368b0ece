#pragma once

#include <filesystem>

#include "data/batch_source.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Says which steps were skipped, and writes of each bad_steps/step-00000123.json: its loss, its
/// gradient norm and the images of its batch, in which the cause may lie. At one rank.
class BadStepHook : public TrainingHook {
 public:
  BadStepHook(BatchSource source, std::filesystem::path folder);

  void after_step(const StepReport& report) override;

 private:
  void write(const StepReport& report) const;

  BatchSource source_;
  std::filesystem::path folder_;
};

}  // namespace effuse
