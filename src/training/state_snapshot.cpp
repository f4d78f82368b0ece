#include "training/state_snapshot.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// The memory that a tensor is a view of, as bytes.
at::Tensor memory_of(const at::Tensor& view) {
  const auto size_bytes = static_cast<std::int64_t>(view.storage().nbytes());
  return at::empty({0}, view.options().dtype(at::kByte)).set_(view.storage(), 0, {size_bytes}, {1});
}

/// Whether all bits of the exponent are set in any of the numbers: then it is infinite or none.
template <class Bits>
bool any_exponent_is_full(std::span<const std::byte> bytes, Bits exponent) {
  const std::span numbers(reinterpret_cast<const Bits*>(bytes.data()), bytes.size() / sizeof(Bits));
  Bits found = 0;
  for (const Bits bits : numbers) found |= static_cast<Bits>((bits & exponent) == exponent);
  return found != 0;
}

/// Plain loops: a tensor operation would take the threads that training computes with.
bool is_finite(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.contiguous();
  const std::span bytes(static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes());
  switch (plain.scalar_type()) {
    case at::kDouble:
      return !any_exponent_is_full<std::uint64_t>(bytes, 0x7FF0'0000'0000'0000);
    case at::kFloat:
      return !any_exponent_is_full<std::uint32_t>(bytes, 0x7F80'0000);
    case at::kBFloat16:
      return !any_exponent_is_full<std::uint16_t>(bytes, 0x7F80);
    case at::kHalf:
      return !any_exponent_is_full<std::uint16_t>(bytes, 0x7C00);
    default:
      return true;  // integers
  }
}

void require_finite(const NamedTensors& tensors, std::string_view file, std::int64_t step) {
  for (const auto& [name, tensor] : tensors) {
    if (is_finite(tensor)) continue;
    throw CheckpointError(
        cat("no checkpoint of step ", step, " was saved: ", name, " of ", file,
            " holds a number that is not finite (every continuation would start from it). The "
            "checkpoints before it stay valid: lower optimizer.lr, set optimizer.grad_clip, or use "
            "precision.compute=fp32."));
  }
}

}  // namespace

void require_finite(const CheckpointContents& contents) {
  require_finite(contents.model, "model.safetensors", contents.state.step);
  require_finite(contents.ema, "ema.safetensors", contents.state.step);
  require_finite(contents.optimizer, "optimizer.safetensors", contents.state.step);
}

void StateSnapshot::take(const FlatState& state, const RunState& run_state) {
  const at::NoGradGuard no_grad;
  for (auto& [memory, buffer] : buffers_) buffer.filled = false;
  copied_.reset();
  contents_.model = copies_of(state.named_parameters());
  contents_.ema = copies_of(state.named_average());
  contents_.optimizer = copies_of(state.named_moments());
  contents_.state = run_state;
  const at::Device device = state.parameters().device();
  if (device.is_cpu()) return;
  copied_.emplace(device.type());
  copied_->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

void StateSnapshot::wait() const {
  if (copied_) copied_->synchronize();
}

NamedTensors StateSnapshot::copies_of(const NamedTensors& views) {
  NamedTensors copies;
  for (const auto& [name, view] : views) copies.emplace_back(name, copy_of(view));
  return copies;
}

/// The same view of a copy of the memory, of which there is one however many views there are.
at::Tensor StateSnapshot::copy_of(const at::Tensor& view) {
  const at::Tensor original = memory_of(view);
  Buffer& buffer = buffers_[view.storage().data()];
  if (!buffer.bytes.defined() || buffer.bytes.numel() != original.numel()) {
    const bool pinned = !original.device().is_cpu();
    const auto options = original.options().device(at::kCPU).pinned_memory(pinned);
    buffer = {at::empty(original.sizes(), options), false};
  }
  if (!buffer.filled) buffer.bytes.copy_(original, /*non_blocking=*/true);
  buffer.filled = true;
  return at::empty({0}, view.options().device(at::kCPU))
      .set_(buffer.bytes.storage(), view.storage_offset(), view.sizes(), view.strides());
}

}  // namespace effuse
