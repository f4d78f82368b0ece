#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "checkpoint/run_state.hpp"
#include "config/config.hpp"

namespace effuse {

/// What a step's gradient and loss say of it, as numbers on the device: whether the step is good is
/// known there, and no step waits for the host to hear of it. All are float64 of no dimensions, and
/// equal at every rank, since what they are computed from is.
struct Verdict {
  at::Tensor grad_norm;    ///< of the sum over the ranks, unscaled, before clipping
  at::Tensor good;         ///< 1, or 0: nothing may be updated
  at::Tensor grad_factor;  ///< by which gradients are multiplied: clipping over loss scale
  at::Tensor update;       ///< which update of the weights this is, from 1, if it is good
  at::Tensor loss_scale;   ///< that the gradients bear
};

/// Judges steps, and keeps what that needs from step to step: the loss scale (Micikevicius et al.
/// 2018, "Mixed Precision Training", doubled and halved as PyTorch's GradScaler does), the number
/// of updates made, and the running average of gradient norms that spikes are measured by.
class StepControl {
 public:
  StepControl(const Config& config, at::Device device);

  /// By which the loss is multiplied before the backward pass: undefined where it is not (only fp16
  /// needs it).
  at::Tensor loss_scale() const;

  /// Judges a step by its summed gradients [P] and mean loss (float64, no dimensions). Bad is what
  /// is not finite, and a norm above recovery.spike_factor times the average of those before.
  Verdict judge(const at::Tensor& gradients, const at::Tensor& loss);

  /// By which learning rates are multiplied, since a checkpoint was restored.
  double lr_factor() const { return lr_factor_; }

  /// For checkpoints. Waits for the device.
  ControlState state() const;

  /// Goes on from there. Where the loss was not scaled and now is, or the other way round, the
  /// scale begins as in a new run.
  void restore(const ControlState& state);

 private:
  at::Tensor value(int which) const { return values_[which]; }
  void update_loss_scale(const at::Tensor& finite);
  void update_average(const at::Tensor& good, const at::Tensor& norm);

  bool scales_;
  double first_scale_;
  double growth_steps_;
  double spike_factor_;
  double max_norm_;
  double lr_factor_ = 1.0;
  std::int64_t restores_ = 0;
  at::Tensor values_;  ///< float64 [5], by Which in step_control.cpp
};

}  // namespace effuse
