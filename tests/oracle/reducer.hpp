#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"

namespace effuse {

/// The gradient reduction of PyTorch's DistributedDataParallel, c10d::Reducer, over our own
/// Communicator: what GradientBuckets is held against. Gradients, divided by the number of ranks,
/// are in the parameters' grad() after a backward pass.
class TorchReducer {
 public:
  /// Collective. `parameters` in the network's order; `comm` must outlive this.
  TorchReducer(const std::vector<at::Tensor>& parameters, Communicator& comm,
               std::int64_t bucket_bytes);
  ~TorchReducer();

  /// Collective. Before the forward pass: after the first backward pass buckets are made anew, in
  /// the order in which gradients came.
  void before_forward();

  void before_backward();

  /// Reductions begun until now.
  int reductions() const;

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace effuse
