// What metrics cost a training step: metrics_cost [STEPS]
//
// Runs the hooks that tell of each step, and the sums by time step, STEPS times on made-up reports,
// while a thread scrapes the exporter without a pause (Prometheus does so every 15 s), and prints
// one JSON object: microseconds a step of each part, of all, and the shortest step, in
// milliseconds, of which all is half a percent.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/run_folder.hpp"
#include "core/temporary_path.hpp"
#include "metrics/event_file.hpp"
#include "metrics/jsonl.hpp"
#include "metrics/registry.hpp"
#include "training/interval_logs.hpp"
#include "training/metrics_hook.hpp"
#include "training/rank_metrics_hook.hpp"
#include "training/stopwatch.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kLogEverySteps = 50;
constexpr std::int64_t kTimesteps = 1000;
constexpr std::int64_t kImages = 128;

StepReport report_of(std::int64_t step) {
  StepReport report;
  report.step = step;
  report.images = step * kImages;
  report.loss = 0.03;
  report.ended_s = steady_time_s();
  report.grad_norm = 0.1 + 1e-6 * static_cast<double>(step);
  report.forward_s = report.backward_s = 0.1;
  const std::vector<double> ones(TimestepLosses::kRanges, 1.0);
  report.timestep_losses.add(ones.data(), ones.data());
  return report;
}

double microseconds_a_step(std::int64_t steps, const std::function<void(std::int64_t)>& work) {
  Stopwatch watch;
  for (std::int64_t step = 1; step <= steps; ++step) work(step);
  return 1e6 * watch.lap_s() / static_cast<double>(steps);
}

double microseconds_of(TrainingHook& hook, std::int64_t steps) {
  hook.before_training(0);
  return microseconds_a_step(steps, [&](std::int64_t step) {
    hook.before_step(step);
    hook.after_step(report_of(step));
  });
}

nlohmann::ordered_json measure(std::int64_t steps, const std::filesystem::path& path) {
  const RunFolder folder({.name = "run", .folder = path.string()});
  folder.create();
  metrics::Registry registry;
  metrics::JsonlWriter log(folder.metrics_log(), 0);
  metrics::EventFile events(folder.events(), 0);
  MetricsHook run(registry, {.total_steps = steps,
                             .batch_size = kImages,
                             .dataset_size = 60000,
                             .timesteps = kTimesteps,
                             .flops_per_image = 1e9,
                             .peak_flops_per_s = 1e12,
                             .folder = folder.path()});
  RankMetricsHook rank(registry, at::kCPU, kLogEverySteps, [] { return RankMetricsHook::Data{}; });
  JsonlLog jsonl(log);
  TensorBoardLog board(events, kTimesteps);
  const IntervalHook::Steps interval{
      .batch_size = kImages, .every_steps = kLogEverySteps, .total_steps = steps};
  IntervalHook logs(interval, {&run, &jsonl, &board});
  std::atomic<bool> done = false;
  std::jthread scraper([&] {
    while (!done) static_cast<void>(registry.text());
  });

  nlohmann::ordered_json cost;
  cost["run"] = microseconds_of(run, steps);
  cost["rank"] = microseconds_of(rank, steps);
  cost["logs"] = microseconds_of(logs, steps);
  const at::Tensor losses = at::rand({kImages}), t = at::randint(kTimesteps, {kImages}, at::kLong);
  cost["loss_by_timestep"] = microseconds_a_step(
      steps, [&](std::int64_t) { static_cast<void>(sum_by_timestep(losses, t, kTimesteps)); });
  done = true;
  return cost;
}

}  // namespace
}  // namespace effuse

int main(int argc, char** argv) {
  using namespace effuse;
  at::set_num_threads(1);
  const std::int64_t steps = argc > 1 ? std::atoll(argv[1]) : 20000;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("metrics_cost." + std::to_string(::getpid()));
  const TemporaryPath removed(folder);
  const auto cost = measure(steps, folder);
  double all = 0.0;
  for (const auto& [part, microseconds] : cost.items()) all += microseconds.get<double>();
  std::cout << nlohmann::ordered_json{{"microseconds_a_step", cost},
                                      {"all", all},
                                      {"half_a_percent_of_ms", all / 0.005 / 1000.0}}
                   .dump(2)
            << "\n";
}
