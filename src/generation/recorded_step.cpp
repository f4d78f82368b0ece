#include "generation/recorded_step.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <memory>
#include <utility>

#include "core/log.hpp"

namespace effuse {
namespace {

/// Autocast keeps copies of weights until its scope ends, which the recorded work would outlive:
/// within it the copies become part of what is recorded.
class NoAutocastCache {
 public:
  NoAutocastCache() : was_enabled_(at::autocast::is_autocast_cache_enabled()) {
    at::autocast::clear_cache();
    at::autocast::set_autocast_cache_enabled(false);
  }
  ~NoAutocastCache() { at::autocast::set_autocast_cache_enabled(was_enabled_); }
  NoAutocastCache(const NoAutocastCache&) = delete;
  NoAutocastCache& operator=(const NoAutocastCache&) = delete;

 private:
  bool was_enabled_;
};

class RecordedStep {
 public:
  explicit RecordedStep(NoiseModel model) : model_(std::move(model)) {}

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
    if (!graph_ && !failed_) record(x, t, labels);
    if (failed_) return model_(x, t, labels);
    x_.copy_(x);
    t_.copy_(t);
    if (labels_.defined()) labels_.copy_(labels);
    graph_->replay();
    return output_.clone();
  }

 private:
  void record(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
    x_ = x.clone();
    t_ = t.clone();
    if (labels.defined()) labels_ = labels.clone();
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream(x.device().index());
    const c10::cuda::CUDAStream stream =
        c10::cuda::getStreamFromPool(/*isHighPriority=*/false, x.device().index());
    current.synchronize();
    try {
      const c10::cuda::CUDAStreamGuard guard(stream);
      const NoAutocastCache no_cache;
      // cuDNN chooses its algorithms, and libraries make their workspaces, before the recording.
      for (int i = 0; i < 3; ++i) model_(x_, t_, labels_);
      stream.synchronize();
      capture();
    } catch (const std::exception& error) {
      failed_ = true;
      graph_.reset();
      output_ = at::Tensor();
      log::warning("the denoising step could not be recorded as a CUDA graph, and is launched ",
                   "kernel by kernel: ", error.what());
    }
    stream.synchronize();
  }

  void capture() {
    graph_ = std::make_unique<at::cuda::CUDAGraph>();
    // Other threads (collectives, copies) go on with their own work meanwhile.
    graph_->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      output_ = model_(x_, t_, labels_);
    } catch (...) {
      try {
        graph_->capture_end();
      } catch (const std::exception&) {  // the first error is the one that tells
      }
      throw;
    }
    graph_->capture_end();
  }

  NoiseModel model_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
  at::Tensor x_, t_, labels_, output_;  ///< the memory the graph works on
  bool failed_ = false;
};

}  // namespace

NoiseModel recorded(NoiseModel model) {
  const auto step = std::make_shared<RecordedStep>(std::move(model));
  return [step](const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
    return (*step)(x, t, labels);
  };
}

}  // namespace effuse
