#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}

namespace effuse {

/// What training changes, in flat contiguous fp32 buffers: parameters, gradients, the moments of
/// the optimiser and the averaged weights. The network's own tensors become views into them, so
/// that one all-reduce, one optimiser pass and one average cover the whole network.
///
/// The gradient buffer ends in a few extra numbers ("riders") that are summed over the ranks by the
/// same all-reduce: loss and stop flag cost no collective of their own.
class FlatState {
 public:
  /// Numbers that ride at the end of the gradient buffer.
  enum Rider { kLossSum, kStopFlag, kRiders };

  /// Moves the parameters of `network` that require gradients into the buffers, on their device.
  /// The network must not be moved or get new parameters afterwards.
  explicit FlatState(torch::nn::Module& network);

  const at::Tensor& parameters() const { return parameters_; }  ///< fp32 [P]
  const at::Tensor& gradients() const { return gradients_; }    ///< fp32 [P], no riders
  const at::Tensor& reduced() const { return reduced_; }        ///< fp32 [P + kRiders]
  const at::Tensor& riders() const { return riders_; }          ///< fp32 [kRiders]
  const at::Tensor& first_moment() const { return first_moment_; }
  const at::Tensor& second_moment() const { return second_moment_; }
  const at::Tensor& average() const { return average_; }

  /// Zeroes gradients and riders and attaches the gradients to the parameters, before a backward
  /// pass.
  void clear_gradients();

  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

  /// Views into the buffers, by the network's names: what a checkpoint holds.
  NamedTensors named_parameters() const;
  NamedTensors named_average() const;
  NamedTensors named_moments() const;  ///< "exp_avg.<name>", "exp_avg_sq.<name>"

 private:
  struct Slot {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset;
    std::int64_t count;
  };

  at::Tensor view(const at::Tensor& buffer, const Slot& slot) const;
  NamedTensors views(const at::Tensor& buffer, const std::string& prefix) const;

  std::vector<Slot> slots_;
  std::vector<at::Tensor> tensors_;  ///< the network's parameters, in the order of slots_
  at::Tensor parameters_, reduced_, gradients_, riders_, first_moment_, second_moment_, average_;
};

/// While it lives, the network computes with the averaged weights.
class AveragedWeights {
 public:
  explicit AveragedWeights(FlatState& state);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  FlatState& state_;
  at::Tensor kept_;
};

}  // namespace effuse
