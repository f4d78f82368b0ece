#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}

namespace effuse {

/// What training changes, in flat contiguous buffers: parameters, gradients, the moments of the
/// optimiser and the averaged weights. The network's own tensors become views into them, so that
/// one all-reduce, one optimiser pass and one average cover the whole network. The buffers are fp64
/// for a network of float64, else fp32.
///
/// What the network has besides, parameters that require no gradient and (constant) buffers, is
/// left where it is: it has no gradients or moments, and is its own average.
///
/// The gradient buffer ends in a few extra numbers ("riders") that are summed over the ranks by the
/// same all-reduce: loss and stop flag cost no collective of their own.
class FlatState {
 public:
  /// Numbers that ride at the end of the gradient buffer.
  enum Rider { kLossSum, kStopFlag, kRiders };

  /// Moves the parameters of `network` that require gradients into the buffers, on their device,
  /// with a moment, all zeros, of each of `moments` (moments_of(optimizer)). The network must not
  /// be moved or get new parameters afterwards. Throws ConfigError where none requires gradients.
  FlatState(torch::nn::Module& network, std::vector<std::string> moments);

  // [P] stands for all trained parameters, each padded to a cache line.
  const at::Tensor& parameters() const { return parameters_; }  ///< [P]
  const at::Tensor& gradients() const { return gradients_; }    ///< [P], no riders
  const at::Tensor& reduced() const { return reduced_; }        ///< [P + kRiders]
  const at::Tensor& riders() const { return riders_; }          ///< [kRiders]
  const at::Tensor& average() const { return average_; }        ///< [P]
  /// [P], in the order of the names given.
  const at::Tensor& moment(std::size_t i) const { return moments_.at(i); }
  at::ScalarType type() const { return parameters_.scalar_type(); }

  /// Zeroes gradients and riders and attaches the gradients to the parameters, before a backward
  /// pass.
  void clear_gradients();

  /// Every tensor that a checkpoint or another rank needs to go on from this state.
  std::vector<at::Tensor> everything() const;

  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

  /// Views by the network's names, in the order of its state_dict: what a checkpoint holds.
  NamedTensors named_parameters() const;  ///< those that are not trained included
  NamedTensors named_average() const;     ///< the same names
  NamedTensors named_moments() const;     ///< "<moment>.<name>" of what is trained
  NamedTensors named_untrained() const;   ///< what is not trained

 private:
  struct Slot {
    std::string name;
    at::Tensor tensor;         ///< the network's own
    std::int64_t offset = -1;  ///< into the buffers; -1: not trained
    bool trained() const { return offset >= 0; }
  };

  std::int64_t make_slots(const torch::nn::Module& network);
  at::Tensor view(const at::Tensor& buffer, const Slot& slot) const;
  NamedTensors weights(const at::Tensor& buffer) const;

  std::vector<Slot> slots_;
  std::vector<std::string> moment_names_;
  std::vector<at::Tensor> moments_;
  at::Tensor parameters_, reduced_, gradients_, riders_, average_;
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
