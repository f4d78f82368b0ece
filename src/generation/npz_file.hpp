#pragma once

#include <filesystem>
#include <memory>

#include "generation/image_store.hpp"
#include "generation/set_file.hpp"
#include "npz/npz_reader.hpp"

namespace effuse {

/// images.npz, as ADM's evaluator reads it: arr_0 uint8 [N, H, W, C] and, for a conditional model,
/// arr_1 int64 [N], the classes.
class NpzFile : public SetFile {
 public:
  NpzFile(const std::filesystem::path& folder, const StoreSettings& settings)
      : path_(folder / "images.npz"), set_(settings.set), classes_(settings.classes) {}

  at::Tensor kept(const at::Tensor& images) const override;
  at::Tensor pixels(const at::Tensor& kept) const override { return kept; }
  std::int64_t count() const override;
  bool is_intact() const override;
  at::Tensor read(std::int64_t place, std::int64_t count) const override;
  void write(std::int64_t images, const std::function<at::Tensor()>& next) const override;
  void remove() const override;

 private:
  std::filesystem::path path_;
  IndexRange set_;
  ClassPlan classes_;
  mutable std::unique_ptr<NpzReader> reader_;  ///< of the file, once it was asked for
};

}  // namespace effuse
