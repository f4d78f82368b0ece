#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "oracle/reducer.hpp"
#include "training/gradient_buckets.hpp"
#include "training/gradient_order.hpp"

namespace effuse {

/// The same network twice, with the same weights: gradients of one are reduced by GradientBuckets,
/// those of the other by c10d::Reducer, in buckets of the same size.
class TwoEngines {
 public:
  TwoEngines(const ModelConfig& model, Communicator& comm, std::int64_t bucket_bytes)
      : ours_(network_of(model)),
        peers_(network_of(model)),
        state_(*ours_, {}, {.order = gradient_order(*ours_)}),
        buckets_(state_, comm, {.bucket_bytes = bucket_bytes}),
        reducer_(peers_->parameters(), comm, bucket_bytes) {}

  /// Collective. A forward and a backward pass by this rank's images x [N, C, H, W], with the
  /// gradients reduced.
  void run_ours(const at::Tensor& x) {
    buckets_.begin_step(++steps_);
    const at::Tensor loss = loss_of(*ours_, x);
    buckets_.begin_pass(/*last=*/true);
    loss.backward();
    buckets_.send_rest();
    buckets_.wait();
  }
  void run_peers(const at::Tensor& x) {
    peers_->zero_grad();
    reducer_.before_forward();
    const at::Tensor loss = loss_of(*peers_, x);
    reducer_.before_backward();
    loss.backward();
  }

  Network& peers() { return *peers_; }
  FlatState& state() { return state_; }
  std::size_t our_reductions() const { return buckets_.bucket_count(); }
  int peers_reductions() const { return reducer_.reductions(); }

 private:
  static std::shared_ptr<Network> network_of(const ModelConfig& model) {
    auto network = make_network(model);
    initialise_weights(*network, 3);
    return network;
  }

  static at::Tensor loss_of(Network& network, const at::Tensor& x) {
    const at::Tensor t = at::arange(x.size(0)) * 7;
    const at::Tensor label = at::arange(x.size(0)).remainder(network.traits().class_count);
    return network.forward(x, t, label).square().sum();
  }

  std::shared_ptr<Network> ours_, peers_;
  FlatState state_;
  GradientBuckets buckets_;
  TorchReducer reducer_;
  std::int64_t steps_ = 0;
};

}  // namespace effuse
