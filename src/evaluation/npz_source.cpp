#include "evaluation/npz_source.hpp"

#include <algorithm>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "npz/npz_reader.hpp"

namespace effuse {
namespace {

constexpr const char* kImages = "arr_0";

bool are_images(const ArrayInfo& info) {
  const auto& shape = info.shape;
  return info.type == ArrayType::uint8 && shape.size() == 4 && (shape[3] == 1 || shape[3] == 3) &&
         std::ranges::all_of(shape, [](std::int64_t size) { return size > 0; }) &&
         std::in_range<int>(shape[1]) && std::in_range<int>(shape[2]);
}

class NpzSource : public ImageSource {
 public:
  explicit NpzSource(const std::filesystem::path& file) : reader_(file) {
    if (!reader_.has(kImages)) {
      throw DataError(cat(file.string(),
                          " has no array arr_0 of images (as ADM's evaluator reads "
                          "them: uint8 [N, H, W, C])"));
    }
    info_ = reader_.info(kImages);
    if (!are_images(info_)) {
      throw DataError(cat(file.string(), ": arr_0 is ", describe(info_),
                          ", but images are uint8 [N, H, W, 1 or 3], at least one of at least one "
                          "pixel. Save the images anew."));
    }
    require_undamaged();
  }

  std::int64_t count() const override { return info_.shape[0]; }
  Image image(std::int64_t index) const override {
    Image image(size(1), size(2), size(3));
    const std::lock_guard lock(mutex_);
    reader_.read_rows(kImages, index, 1, std::as_writable_bytes(std::span(image.pixels)));
    return image;
  }
  std::string name(std::int64_t index) const override { return cat("image ", index); }

  std::string state() const override { return sha256_of(state_of_file(reader_.path())); }

  /// Compressed arrays can only be read in order.
  int readers() const override { return 1; }

 private:
  /// Rows are read without a checksum: what was damaged meanwhile would be scored.
  void require_undamaged() const {
    try {
      reader_.verify(kImages);
    } catch (const DataError& error) {
      throw DataError(cat(error.what(), ". Copy or make the file again."));
    }
  }

  int size(std::size_t dimension) const { return static_cast<int>(info_.shape[dimension]); }

  mutable NpzReader reader_;
  ArrayInfo info_;
  mutable std::mutex mutex_;
};

}  // namespace

std::unique_ptr<ImageSource> open_npz_source(const std::filesystem::path& file) {
  return std::make_unique<NpzSource>(file);
}

}  // namespace effuse
