#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/scorer.hpp"
#include "diffusion/schedule.hpp"
#include "generation/class_plan.hpp"
#include "metrics/event_file.hpp"
#include "metrics/jsonl.hpp"
#include "metrics/registry.hpp"
#include "training/flat_state.hpp"
#include "training/trainer.hpp"

namespace effuse {

class Network;

/// Scores the averaged weights at intervals, as [evaluation] says, on images made as [sampling]
/// says: straight from the sampler, the work split over the ranks. Each result is a line of
/// metrics/evaluation.jsonl and a series for Prometheus, and the checkpoint of the best one is
/// kept.
class EvaluationHook : public TrainingHook {
 public:
  struct Parts {
    Scorer& scorer;
    Network& network;
    FlatState& state;
    const Schedule& schedule;
    Communicator& comm;
    at::Device device;
    const Config& config;
    std::vector<std::string> class_names;  ///< empty: unconditional
    std::filesystem::path log;             ///< written at rank 0
    metrics::Registry& registry;
    metrics::EventFile* events = nullptr;  ///< for TensorBoard, at rank 0
    /// Collective. Keeps the checkpoint of a step, which was begun before this hook is called.
    std::function<void(std::int64_t step)> keep_best;
  };

  explicit EvaluationHook(Parts parts);

  void before_training(std::int64_t steps_done) override;
  bool looks_at_state(std::int64_t step) const override;
  void after_step(const StepReport& report) override;

 private:
  void evaluate(std::int64_t step);
  std::optional<nlohmann::ordered_json> score();
  void tell_scores_of(const nlohmann::ordered_json& line);
  void tell_score(const std::string& name, double value);
  void tell_step(std::int64_t step);
  void record(std::int64_t step, const nlohmann::ordered_json& scores, double seconds);
  bool is_best(double value) const;

  Parts parts_;
  ClassPlan classes_;
  std::unique_ptr<metrics::JsonlWriter> log_;  ///< at rank 0
  std::optional<double> best_;                 ///< so far, the same at every rank
  std::int64_t last_step_ = -1;                ///< that was evaluated
};

/// Throws ConfigError where [evaluation] asks for what training cannot do.
void require_evaluation_settings(const Config& config);

/// [evaluation] with the data set as the reference where none is set.
EvaluationConfig training_evaluation(const Config& config);

}  // namespace effuse
