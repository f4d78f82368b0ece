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

/// How the flat buffers are laid out. The defaults suit any module.
struct FlatLayout {
  /// Names of the parameters to train, in the order in which their gradients become ready
  /// (gradient_order()), which is their order in the buffers. Empty: all that require gradients, in
  /// the network's order.
  std::vector<std::string> order = {};

  /// The type in which the network holds its trained weights: the buffers' own, or bfloat16 or
  /// float16, then a copy beside the master weights.
  at::ScalarType network_type = at::kFloat;

  /// Whether weights of four dimensions lie in memory as channels_last.
  bool channels_last = false;
};

/// What training changes, in flat contiguous buffers: parameters, gradients, the moments of the
/// optimiser and the averaged weights. The network's own tensors become views into them, so that
/// reduction, optimiser pass, average and checksum cover the whole network. The buffers are fp64
/// for a network of float64, else fp32: these are the master weights, which checkpoints hold.
///
/// What the network has besides, parameters that are not trained and (constant) buffers, is left
/// where it is: it has no gradients or moments, and is its own average.
class FlatState {
 public:
  /// Moves the parameters of `network` that are trained into the buffers, on their device, with a
  /// moment, all zeros, of each of `moments` (moments_of(optimizer)). The network must not be moved
  /// or get new parameters afterwards. Throws ConfigError where there is nothing to train.
  FlatState(torch::nn::Module& network, std::vector<std::string> moments, FlatLayout layout = {});

  // [P] stands for all trained parameters, each padded to a cache line.
  const at::Tensor& parameters() const { return parameters_; }  ///< [P], master weights
  const at::Tensor& gradients() const { return gradients_; }    ///< [P], filled by GradientBuckets
  const at::Tensor& average() const { return average_; }        ///< [P]
  /// [P], in the order of the names given.
  const at::Tensor& moment(std::size_t i) const { return moments_.at(i); }
  /// [P], what the network computes with: parameters(), or the copy of the network's own type.
  const at::Tensor& network_parameters() const;
  at::ScalarType type() const { return parameters_.scalar_type(); }
  at::ScalarType network_type() const { return network_parameters().scalar_type(); }

  /// Hands the master weights to the network, where it computes with a copy of another type: after
  /// whatever changed them.
  void publish();

  /// A trained parameter of the network and where it lies in the buffers.
  struct Place {
    std::string name;
    at::Tensor tensor;  ///< the network's own
    std::int64_t offset = 0;
    std::int64_t end = 0;  ///< offset of what follows, padding included
  };
  /// By offset.
  const std::vector<Place>& places() const { return places_; }

  /// The part of `buffer` [P] that belongs to a parameter, in that parameter's shape.
  at::Tensor view(const at::Tensor& buffer, const Place& place) const;

  /// Every tensor that a checkpoint or another rank needs to go on from this state.
  std::vector<at::Tensor> everything() const;

  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

  /// Views by the network's names, in the order of its state_dict: what a checkpoint holds.
  NamedTensors named_parameters() const;  ///< those that are not trained included
  NamedTensors named_average() const;     ///< the same names
  NamedTensors named_moments() const;     ///< "<moment>.<name>" of what is trained
  NamedTensors named_untrained() const;   ///< what is not trained

 private:
  /// A tensor of the network's state_dict.
  struct Slot {
    std::string name;
    at::Tensor tensor;
    std::int64_t place = -1;  ///< among places_; -1: not trained
    bool trained() const { return place >= 0; }
  };

  void make_places(const torch::nn::Module& network);
  void make_slots(const torch::nn::Module& network);
  void make_buffers();
  void move_weights();
  at::Tensor view(const at::Tensor& buffer, const Slot& slot) const;
  NamedTensors weights(const at::Tensor& buffer) const;

  FlatLayout layout_;
  std::vector<Place> places_;
  std::vector<Slot> slots_;
  std::vector<std::string> moment_names_;
  std::vector<at::Tensor> moments_;
  at::Tensor parameters_, gradients_, average_;
  at::Tensor copy_;  ///< of the network's type; undefined where that is the buffers' own
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
  at::Tensor kept_;  ///< undefined where the network computes with a copy
};

}  // namespace effuse
