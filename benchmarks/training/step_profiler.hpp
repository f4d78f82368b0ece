#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

namespace torch::autograd::profiler {
struct ProfilerResult;
}

namespace effuse::benchmark {

/// libtorch's profiler (Kineto) over this thread, and over the GPU where `device` is one.
class StepProfiler {
 public:
  /// Records from here on.
  explicit StepProfiler(c10::Device device);
  ~StepProfiler();
  StepProfiler(const StepProfiler&) = delete;
  StepProfiler& operator=(const StepProfiler&) = delete;

  /// Ends the record.
  void stop();

  /// The operations by name and scope and the kernels by name, divided by `steps`, as JSON lines.
  void print(std::ostream& out, std::int64_t steps) const;

  /// The timeline as a Chrome trace.
  void save(const std::string& file) const;

 private:
  std::unique_ptr<torch::autograd::profiler::ProfilerResult> result_;
};

}  // namespace effuse::benchmark
