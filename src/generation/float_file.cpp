#include "generation/float_file.hpp"

#include <ATen/ATen.h>

#include "diffusion/quantise.hpp"
#include "generation/safetensors_images.hpp"

namespace effuse {

at::Tensor FloatFile::pixels(const at::Tensor& kept) const { return to_uint8(kept); }

std::int64_t FloatFile::count() const {
  if (!contents_.defined()) contents_ = map_images(path_);
  return contents_.defined() ? contents_.size(0) : 0;
}

bool FloatFile::is_intact() const { return are_intact(path_); }

at::Tensor FloatFile::read(std::int64_t place, std::int64_t images) const {
  return count() < place + images ? at::Tensor() : contents_.narrow(0, place, images);
}

void FloatFile::write(std::int64_t images, const std::function<at::Tensor()>& next) const {
  at::Tensor all;
  for (std::int64_t place = 0; place < images;) {
    const at::Tensor some = next();
    if (!all.defined()) {
      std::vector<std::int64_t> shape = some.sizes().vec();
      shape[0] = images;
      all = at::empty(shape, some.options());
    }
    all.narrow(0, place, some.size(0)).copy_(some);
    place += some.size(0);
  }
  write_images(path_, all);
  contents_ = at::Tensor();
}

void FloatFile::remove() const {
  contents_ = at::Tensor();
  std::filesystem::remove(path_);
}

}  // namespace effuse
