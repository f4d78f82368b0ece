#pragma once

#include <filesystem>
#include <utility>

#include "generation/set_file.hpp"

namespace effuse {

/// images.safetensors: floats before quantisation. Writing holds all of them in memory.
class FloatFile : public SetFile {
 public:
  explicit FloatFile(const std::filesystem::path& folder) : path_(folder / "images.safetensors") {}

  at::Tensor kept(const at::Tensor& images) const override { return images.contiguous(); }
  at::Tensor pixels(const at::Tensor& kept) const override;
  std::int64_t count() const override;
  bool is_intact() const override;
  at::Tensor read(std::int64_t place, std::int64_t count) const override;
  void write(std::int64_t images, const std::function<at::Tensor()>& next) const override;
  void remove() const override;

 private:
  std::filesystem::path path_;
  mutable at::Tensor contents_;  ///< the file's, mapped, once they were asked for
};

}  // namespace effuse
