#include "evaluation/image_source.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/dataset_source.hpp"
#include "evaluation/folder_source.hpp"
#include "evaluation/npz_source.hpp"
#include "shards/manifest.hpp"

namespace effuse {
namespace {

class JoinedSource : public ImageSource {
 public:
  explicit JoinedSource(std::vector<std::unique_ptr<ImageSource>> parts)
      : parts_(std::move(parts)) {
    for (const auto& part : parts_) ends_.push_back(count() + part->count());
  }

  std::int64_t count() const override { return ends_.empty() ? 0 : ends_.back(); }
  Image image(std::int64_t index) const override {
    const auto [part, place] = find(index);
    return part->image(place);
  }
  std::string name(std::int64_t index) const override {
    const auto [part, place] = find(index);
    return part->name(place);
  }
  int readers() const override {
    const auto is_limited = [](const auto& part) { return part->readers() == 1; };
    return std::any_of(parts_.begin(), parts_.end(), is_limited) ? 1 : 0;
  }

 private:
  std::pair<const ImageSource*, std::int64_t> find(std::int64_t index) const {
    const auto part = std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin();
    const auto number = static_cast<std::size_t>(part);
    return {parts_.at(number).get(), index - (number == 0 ? 0 : ends_[number - 1])};
  }

  std::vector<std::unique_ptr<ImageSource>> parts_;
  std::vector<std::int64_t> ends_;
};

void require_same_size(const ImageSource& source, const Image& a, std::int64_t index_a,
                       const Image& b, std::int64_t index_b) {
  if (a.height == b.height && a.width == b.width) return;
  throw DataError(cat("images of different sizes cannot be scored together: ", source.name(index_a),
                      " is ", a.width, "x", a.height, ", ", source.name(index_b), " is ", b.width,
                      "x", b.height,
                      " (how they are made equal would decide the score). Pack them "
                      "with effuse-pack, or sort them out."));
}

}  // namespace

std::unique_ptr<ImageSource> open_image_source(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw DataError(cat(path.string(), " does not exist"));
  if (!std::filesystem::is_directory(path)) return open_npz_source(path);
  if (std::filesystem::exists(manifest_path(path))) return open_dataset_source(path);
  const std::filesystem::path sampled = path / "images.npz";  // of effuse-sample --format npz
  if (std::filesystem::exists(sampled)) return open_npz_source(sampled);
  return open_folder_source(path);
}

std::unique_ptr<ImageSource> join_image_sources(std::vector<std::unique_ptr<ImageSource>> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_unique<JoinedSource>(std::move(parts));
}

at::Tensor read_images(const ImageSource& source, std::int64_t first, std::int64_t wanted,
                       std::int64_t batch, int channels) {
  const Image model = source.image(0);
  const at::Tensor images = at::empty({batch, model.height, model.width, channels}, at::kByte);
  auto* out = images.mutable_data_ptr<std::uint8_t>();
  Image image;
  for (std::int64_t i = 0; i < batch; ++i) {
    if (i < wanted) {
      image = with_channels(source.image(first + i), channels);
      require_same_size(source, model, 0, image, first + i);
    }
    out = std::copy(image.pixels.begin(), image.pixels.end(), out);
  }
  return images;
}

}  // namespace effuse
