#include "step_profiler.hpp"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <utility>
#include <vector>

namespace effuse::benchmark {
namespace {

namespace profiler = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;

std::set<ActivityType> activities_on(c10::Device device) {
  std::set<ActivityType> activities{ActivityType::CPU};
  if (device.is_cuda()) activities.insert(ActivityType::CUDA);
  return activities;
}

bool is_scope(const profiler::KinetoEvent& event) {
  const auto scope = static_cast<at::RecordScope>(event.scope());
  return scope == at::RecordScope::USER_SCOPE || scope == at::RecordScope::BACKWARD_FUNCTION;
}

struct Cost {
  std::int64_t calls = 0;
  double self_s = 0.0;
};

using Costs = std::map<std::pair<std::string, std::string>, Cost>;  // by operation and scope

/// The operations that are running at a moment of one thread, the outermost first.
class CallStack {
 public:
  explicit CallStack(Costs& costs) : costs_(costs) {}

  /// In the order of their starts.
  void enter(const profiler::KinetoEvent& event) {
    while (!running_.empty() && running_.back().end_ns <= event.startNs()) running_.pop_back();
    const double seconds = 1e-9 * static_cast<double>(event.durationNs());
    std::string scope = running_.empty() ? "" : running_.back().scope;
    if (!running_.empty()) running_.back().cost->self_s -= seconds;
    if (is_scope(event)) scope = event.name();
    Cost& cost = costs_[{event.name(), scope}];
    ++cost.calls;
    cost.self_s += seconds;
    running_.push_back({event.endNs(), &cost, std::move(scope)});
  }

 private:
  struct Running {
    std::uint64_t end_ns;
    Cost* cost;
    std::string scope;
  };
  Costs& costs_;
  std::vector<Running> running_;
};

Costs host_costs(const std::vector<profiler::KinetoEvent>& events) {
  std::map<std::uint64_t, std::vector<const profiler::KinetoEvent*>> threads;
  for (const auto& event : events) {
    if (event.deviceType() == c10::DeviceType::CPU)
      threads[event.startThreadId()].push_back(&event);
  }
  Costs costs;
  for (auto& [thread, of_thread] : threads) {
    std::ranges::stable_sort(of_thread, [](const auto* a, const auto* b) {
      return std::pair(a->startNs(), b->endNs()) < std::pair(b->startNs(), a->endNs());
    });
    CallStack stack(costs);
    for (const auto* event : of_thread) stack.enter(*event);
  }
  return costs;
}

std::map<std::string, Cost> kernel_costs(const std::vector<profiler::KinetoEvent>& events) {
  std::map<std::string, Cost> costs;
  for (const auto& event : events) {
    if (event.deviceType() != c10::DeviceType::CUDA) continue;
    Cost& cost = costs[event.name()];
    ++cost.calls;
    cost.self_s += 1e-9 * static_cast<double>(event.durationNs());
  }
  return costs;
}

}  // namespace

StepProfiler::StepProfiler(c10::Device device) {
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  profiler::prepareProfiler(config, activities_on(device));
  profiler::enableProfiler(config, activities_on(device));
}

StepProfiler::~StepProfiler() {
  if (!result_) stop();
}

void StepProfiler::stop() { result_ = profiler::disableProfiler(); }

void StepProfiler::print(std::ostream& out, std::int64_t steps) const {
  const auto n = static_cast<double>(steps);
  for (const auto& [key, cost] : host_costs(result_->events())) {
    out << nlohmann::json{{"op", key.first},
                          {"scope", key.second},
                          {"calls", static_cast<double>(cost.calls) / n},
                          {"self_s", cost.self_s / n}}
        << '\n';
  }
  for (const auto& [name, cost] : kernel_costs(result_->events())) {
    out << nlohmann::json{{"kernel", name},
                          {"calls", static_cast<double>(cost.calls) / n},
                          {"self_s", cost.self_s / n}}
        << '\n';
  }
}

void StepProfiler::save(const std::string& file) const { result_->save(file); }

}  // namespace effuse::benchmark
