#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace effuse {

/// What all images of a set end in, in one piece: images are written to it once all are there.
class SetFile {
 public:
  virtual ~SetFile() = default;

  /// What is kept of images fp32 [n, C, H, W]: [n, …], on the CPU.
  virtual at::Tensor kept(const at::Tensor& images) const = 0;

  /// Kept images as they would be seen: uint8 [n, H, W, C].
  virtual at::Tensor pixels(const at::Tensor& kept) const = 0;

  /// How many images the file holds; 0 where it is absent or damaged, which is said in the log.
  virtual std::int64_t count() const = 0;

  /// Whether it is as it was written, for files of which read() does not notice damage; otherwise
  /// false is said in the log. May read all of it.
  virtual bool is_intact() const { return true; }

  /// Kept images [place, place + count) of it; undefined where they are damaged, which is said.
  virtual at::Tensor read(std::int64_t place, std::int64_t count) const = 0;

  /// Writes it, whole or not at all, where there is none. `next` gives the kept images of a set of
  /// `images` in order, some at a time.
  virtual void write(std::int64_t images, const std::function<at::Tensor()>& next) const = 0;

  virtual void remove() const = 0;
};

}  // namespace effuse
