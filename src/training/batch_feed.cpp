#include "training/batch_feed.hpp"

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

namespace effuse {

BatchFeed::BatchFeed(Loader& loader, c10::Device device) : loader_(loader), device_(device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  stream_ = guard.getStreamFromGlobalPool(device, /*isHighPriority=*/false);
}

Batch BatchFeed::next() {
  if (!stream_) return loader_.next();
  if (!ahead_) prefetch();
  Upload upload = std::move(*std::exchange(ahead_, std::nullopt));
  const c10::impl::VirtualGuardImpl guard(device_.type());
  const c10::Stream current = guard.getStream(device_);
  upload.arrived.block(current);
  for (const at::Tensor& tensor : {upload.batch.images, upload.batch.mirrored}) {
    if (tensor.defined()) guard.recordDataPtrOnStream(tensor.storage().data_ptr(), current);
  }
  return std::move(upload.batch);
}

void BatchFeed::prefetch() {
  if (stream_ && !ahead_) ahead_.emplace(upload(loader_.next()));
}

BatchFeed::Upload BatchFeed::upload(Batch batch) {
  const c10::StreamGuard on_stream(*stream_);
  StepTimer& timer = uploads_.emplace_back(device_);
  timer.mark();
  for (at::Tensor* tensor : {&batch.images, &batch.mirrored}) {
    if (tensor->defined()) *tensor = tensor->to(device_, /*non_blocking=*/true);
  }
  timer.mark();
  c10::Event arrived(device_.type());
  arrived.record(*stream_);
  return {std::move(batch), std::move(arrived)};
}

double BatchFeed::upload_s() {
  if (uploads_.empty()) return 0.0;
  const double seconds = uploads_.front().laps_s().front();
  uploads_.pop_front();
  return seconds;
}

}  // namespace effuse
