#include "training/gradient_buckets.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "training/gradient_hook.hpp"

namespace effuse {

GradientBuckets::GradientBuckets(FlatState& state, Communicator& comm, const Options& options)
    : state_(state), comm_(comm) {
  const bool travels = comm.world_size() > 1;
  if (travels && options.wire != at::kFloat && options.wire != state.type()) {
    wire_ = at::zeros_like(state.gradients(), options.wire);
  }
  cut_buckets(travels ? options.bucket_bytes : 0);
  attach_hooks();
}

GradientBuckets::~GradientBuckets() {
  for (const auto& place : state_.places()) set_gradient_hook(place.tensor, nullptr);
}

void GradientBuckets::cut_buckets(std::int64_t bucket_bytes) {
  const auto element_bytes = static_cast<std::int64_t>(state_.gradients().element_size());
  for (const auto& place : state_.places()) {
    const bool full = !buckets_.empty() && bucket_bytes > 0 &&
                      (buckets_.back().end - buckets_.back().begin) * element_bytes >= bucket_bytes;
    if (buckets_.empty() || full) buckets_.push_back({.begin = place.offset});
    buckets_.back().end = place.end;
    ++buckets_.back().parameters;
    bucket_of_.push_back(buckets_.size() - 1);
  }
}

void GradientBuckets::attach_hooks() {
  const auto& places = state_.places();
  arrived_.resize(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    homes_.push_back(state_.view(state_.gradients(), places[i]));
    set_gradient_hook(places[i].tensor,
                      [this, i](const at::Tensor& parameter) { arrive(i, parameter); });
  }
}

void GradientBuckets::begin_step(std::int64_t step) {
  step_ = step;
  sent_ = 0;
  passes_ = 0;
  last_pass_ = false;
}

void GradientBuckets::begin_pass(bool last) {
  if (passes_ > 0) require_whole_pass();
  ++passes_;
  last_pass_ = last;
  std::fill(arrived_.begin(), arrived_.end(), false);
  for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters;
}

/// The gradient is taken away from the parameter while it is still in the cache, so that autograd
/// need not add to memory that was cleared before.
void GradientBuckets::arrive(std::size_t place, const at::Tensor& parameter) {
  const at::NoGradGuard no_grad;
  at::Tensor& gradient = parameter.mutable_grad();
  if (passes_ == 1) {
    homes_[place].copy_(gradient);
  } else {
    homes_[place].add_(gradient);
  }
  gradient = at::Tensor();
  arrived_[place] = true;
  --buckets_[bucket_of_[place]].missing;
  if (last_pass_) send_ready();
}

void GradientBuckets::send_ready() {
  while (sent_ < buckets_.size() && buckets_[sent_].missing == 0) send(sent_);
}

void GradientBuckets::send(std::size_t number) {
  const at::NoGradGuard no_grad;
  Bucket& bucket = buckets_[number];
  const std::int64_t size = bucket.end - bucket.begin;
  at::Tensor part = state_.gradients().narrow(0, bucket.begin, size);
  if (wire_.defined()) part = wire_.narrow(0, bucket.begin, size).copy_(part);
  bucket.work =
      comm_.all_reduce_async(part, ReduceOp::sum, cat("bucket ", number + 1, " of step ", step_));
  ++sent_;
}

void GradientBuckets::send_rest() {
  if (passes_ == 0) {
    at::Tensor(state_.gradients()).zero_();
  } else {
    require_whole_pass();
  }
  while (sent_ < buckets_.size()) send(sent_);
}

std::vector<std::unique_ptr<Work>> GradientBuckets::wait() {
  const at::NoGradGuard no_grad;
  std::vector<std::unique_ptr<Work>> works;
  for (Bucket& bucket : buckets_) {
    bucket.work->wait();
    works.push_back(std::move(bucket.work));
    if (!wire_.defined()) continue;
    const std::int64_t size = bucket.end - bucket.begin;
    state_.gradients().narrow(0, bucket.begin, size).copy_(wire_.narrow(0, bucket.begin, size));
  }
  return works;
}

/// What is missing would stand in the sum as the step before left it.
void GradientBuckets::require_whole_pass() const {
  if (std::ranges::find(arrived_, false) == arrived_.end()) return;
  throw Error(cat("step ", step_, " brought no gradient for ", missing_parameters(),
                  " (the network did not use what it used at first)"));
}

std::string GradientBuckets::missing_parameters() const {
  constexpr std::size_t kNamed = 5;
  std::string names;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < arrived_.size(); ++i) {
    if (arrived_[i]) continue;
    if (++missing <= kNamed) names += (missing > 1 ? ", " : "") + state_.places()[i].name;
  }
  return missing > kNamed ? cat(names, " and ", missing - kNamed, " more") : names;
}

}  // namespace effuse
