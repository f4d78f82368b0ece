#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "training/flat_state.hpp"

namespace effuse {

/// Collects the gradients of backward passes in FlatState's buffer and sums them over the ranks, in
/// buckets: consecutive parameters in the order in which their gradients become ready. A bucket is
/// on its way as soon as the last of its gradients is there, while the backward pass goes on (Li et
/// al. 2020, "PyTorch Distributed"). Buckets leave in one order at every rank.
///
/// The sum of each element is over the ranks in their order, whatever the buckets are.
class GradientBuckets {
 public:
  struct Options {
    std::int64_t bucket_bytes = std::int64_t{8} << 20;  ///< at least; 0: one bucket for all
    at::ScalarType wire = at::kFloat;  ///< bfloat16: gradients travel rounded to it
  };

  /// `state` and `comm` must outlive this, and have hooks from no other.
  GradientBuckets(FlatState& state, Communicator& comm, const Options& options);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  /// Before the first backward pass of a step. `step` is for messages.
  void begin_step(std::int64_t step);

  /// Before each backward pass of the step, of which the first replaces the gradients of the step
  /// before and others add to them. Where `last`, buckets are sent as they become ready. Throws
  /// Error where the pass before left a parameter without a gradient.
  void begin_pass(bool last);

  /// Collective. After the last pass: sends what has not left yet. Gradients are zeros where this
  /// rank made no pass. Throws Error as begin_pass() does.
  void send_rest();

  /// Waits for all of them: then gradients() of the state is the sum over ranks and passes. Returns
  /// the operations, for how long they took.
  std::vector<std::unique_ptr<Work>> wait();

  std::size_t bucket_count() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::int64_t begin = 0;  ///< elements
    std::int64_t end = 0;
    int parameters = 0;
    int missing = 0;  ///< gradients that the running pass has not brought yet
    std::unique_ptr<Work> work = nullptr;
  };

  void cut_buckets(std::int64_t bucket_bytes);
  void attach_hooks();
  void arrive(std::size_t place, const at::Tensor& parameter);
  void send_ready();
  void send(std::size_t bucket);
  void require_whole_pass() const;
  std::string missing_parameters() const;

  FlatState& state_;
  Communicator& comm_;
  at::Tensor wire_;                     ///< [P]; undefined: gradients travel as they are
  std::vector<at::Tensor> homes_;       ///< by place: where its gradient is collected
  std::vector<std::size_t> bucket_of_;  ///< by place
  std::vector<bool> arrived_;           ///< by place, in the running pass
  std::vector<Bucket> buckets_;
  std::int64_t step_ = 0;
  std::size_t sent_ = 0;
  int passes_ = 0;
  bool last_pass_ = false;
};

}  // namespace effuse
