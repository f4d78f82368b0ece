#include "app/evaluation_hook.hpp"

#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "app/evaluation_report.hpp"
#include "app/generated_features.hpp"
#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/unix_time.hpp"
#include "models/network.hpp"
#include "models/precision.hpp"
#include "report/score_names.hpp"
#include "training/stopwatch.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// Scores of which less is better; of the others it is more.
bool less_is_better(std::string_view score) { return score == "fid" || score == "kid"; }

/// The name of the score that decides which checkpoint is the best: of the first metric asked for.
std::string deciding_score(const EvaluationConfig& config) {
  const std::string metric = config.metrics.empty() ? "fid" : config.metrics.front();
  if (metric == "precision_recall") return "precision";
  if (metric == "density_coverage") return "density";
  return metric;
}

/// The evaluations of earlier attempts, by their order.
std::vector<Json> lines_of(const std::filesystem::path& log) {
  std::ifstream in(log);
  std::vector<Json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

}  // namespace

EvaluationHook::EvaluationHook(Parts parts)
    : parts_(std::move(parts)), classes_(agree_value(parts_.comm, [this] {
        return ClassPlan(parts_.config.sampling.classes, parts_.class_names);
      })) {}

bool EvaluationHook::is_best(double value) const {
  if (!best_) return true;
  return less_is_better(deciding_score(parts_.config.evaluation)) ? value < *best_ : value > *best_;
}

/// Rank 0 knows what was found before; the others are told.
void EvaluationHook::before_training(std::int64_t steps_done) {
  Json known = {{"last", -1}};
  agree(parts_.comm, [&] {
    if (parts_.comm.rank() != 0) return;
    log_ = std::make_unique<metrics::JsonlWriter>(parts_.log, steps_done);
    const std::vector<Json> lines = lines_of(parts_.log);  // whole ones only, as log_ has seen to
    if (!lines.empty()) tell_scores_of(lines.back());
    best_.reset();
    const std::string score = deciding_score(parts_.config.evaluation);
    for (const Json& line : lines) {
      if (!line.contains(score) || !line[score].is_number()) continue;
      known["last"] = line.at("step");
      const double value = line[score].get<double>();
      if (is_best(value)) best_ = value;
    }
    if (best_) known["best"] = *best_;
  });
  known = Json::parse(parts_.comm.broadcast_text(known.dump()));
  last_step_ = known["last"].get<std::int64_t>();
  best_ = known.contains("best") ? std::optional(known["best"].get<double>()) : std::nullopt;
  // One that was cut short is made up for, with the weights of the checkpoint.
  const std::int64_t due = steps_done - steps_done % parts_.config.evaluation.every_steps;
  if (due > 0 && last_step_ < due) evaluate(steps_done);
}

bool EvaluationHook::looks_at_state(std::int64_t step) const {
  return step % parts_.config.evaluation.every_steps == 0;
}

void EvaluationHook::after_step(const StepReport& report) {
  if (looks_at_state(report.step)) evaluate(report.step);
}

void EvaluationHook::evaluate(std::int64_t step) {
  const SectionScope section(parts_.comm, CommSection::evaluation);
  const Stopwatch watch;
  const auto scores = score();
  if (!scores) return;  // asked to stop: the continued run makes up for it
  last_step_ = step;
  record(step, *scores, watch.elapsed_s());
  const double value = (*scores)[deciding_score(parts_.config.evaluation)]["value"].get<double>();
  if (!is_best(value)) return;
  parts_.keep_best(step);
  best_ = value;
}

std::optional<Json> EvaluationHook::score() {
  const AveragedWeights averaged(parts_.state);
  const SamplingConfig& sampling = parts_.config.sampling;
  const std::int64_t side = parts_.config.model.sample_size;
  const GenerationSettings settings{.sampler = sampler_settings(sampling, parts_.config.diffusion),
                                    .guidance = sampling.guidance,
                                    .tile_size = sampling.tile,
                                    .height = side,
                                    .width = side,
                                    .compute = autocast_compute(parts_.config.precision)};
  const SeededNoise noise(static_cast<std::uint64_t>(sampling.seed));
  const TileGenerator generator(parts_.network, parts_.schedule, classes_, noise, settings,
                                parts_.device);
  auto set =
      generate_features(generator,
                        {.tiles = tiles_of({0, parts_.config.evaluation.number}, sampling.tile),
                         .features = parts_.scorer.keep_of_images()},
                        parts_.scorer.network(), parts_.comm, parts_.device);
  if (!set) return std::nullopt;
  return parts_.scorer.score(side_of(std::move(set->features), parts_.scorer.network()));
}

/// To Prometheus, as an earlier attempt found them.
void EvaluationHook::tell_scores_of(const Json& line) {
  for (const char* name : kScores) {
    if (line.contains(name) && line[name].is_number()) tell_score(name, line[name].get<double>());
  }
  tell_step(line.at("step").get<std::int64_t>());
}

void EvaluationHook::tell_score(const std::string& name, double value) {
  parts_.registry.gauge(metrics::series("effuse_evaluation_score"), {{"metric", name}}).set(value);
}

void EvaluationHook::tell_step(std::int64_t step) {
  parts_.registry.gauge(metrics::series("effuse_evaluation_step")).set(static_cast<double>(step));
}

void EvaluationHook::record(std::int64_t step, const Json& scores, double seconds) {
  if (parts_.comm.rank() != 0) return;
  metrics::JsonFields fields{{"step", step}};
  std::string text;
  for (const auto& [name, score] : scores.items()) {
    const double value = score["value"].get<double>();
    fields.emplace_back(name, value);
    text += cat(text.empty() ? "" : ", ", name, " ", short_number(value));
    if (parts_.events != nullptr) parts_.events->scalar(cat("evaluation/", name), step, value);
    tell_score(name, value);
  }
  tell_step(step);
  fields.emplace_back("images", parts_.config.evaluation.number);
  fields.emplace_back("seconds", seconds);
  fields.emplace_back("time_s", unix_time_s());
  log_->write(fields);
  log_->sync();
  log::info("step ", human_count(static_cast<std::uint64_t>(step)), " scored: ", text);
}

EvaluationConfig training_evaluation(const Config& config) {
  EvaluationConfig evaluation = config.evaluation;
  if (evaluation.reference.empty()) evaluation.reference = {config.data.folder};
  return evaluation;
}

void require_evaluation_settings(const Config& config) {
  const EvaluationConfig& evaluation = config.evaluation;
  if (evaluation.every_steps == 0) return;
  check_sampler(sampler_settings(config.sampling, config.diffusion), Schedule(config.diffusion));
  const std::int64_t saves = config.checkpoint.every_steps;
  if (saves > 0 && evaluation.every_steps % saves == 0) return;
  throw ConfigError(cat("evaluation.every_steps is ", evaluation.every_steps,
                        ", but checkpoints are written every ", saves,
                        " steps (the best one is to be kept, so there has to be one). Give a "
                        "multiple of checkpoint.every_steps."));
}

}  // namespace effuse
