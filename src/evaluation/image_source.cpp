#include "evaluation/image_source.hpp"

#include <algorithm>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/dataset_source.hpp"
#include "evaluation/folder_source.hpp"
#include "evaluation/npz_source.hpp"
#include "evaluation/sampled_source.hpp"
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
  std::string place(std::int64_t index) const override {
    const auto [part, place] = find(index);
    return part->place(place);
  }
  int readers() const override {
    const auto is_limited = [](const auto& part) { return part->readers() == 1; };
    return std::any_of(parts_.begin(), parts_.end(), is_limited) ? 1 : 0;
  }
  std::string state() const override {
    std::string states;
    for (const auto& part : parts_) states += part->state() + "\n";
    return sha256_of(states);
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

}  // namespace

std::string state_of_file(const std::filesystem::path& file) {
  return cat(std::filesystem::file_size(file), " bytes of ",
             std::filesystem::last_write_time(file).time_since_epoch().count());
}

std::unique_ptr<ImageSource> open_image_source(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw DataError(cat(path.string(), " does not exist"));
  if (!std::filesystem::is_directory(path)) return open_npz_source(path);
  if (is_sampled_set(path)) return open_sampled_source(path);
  if (std::filesystem::exists(manifest_path(path))) return open_dataset_source(path);
  return open_folder_source(path);
}

std::unique_ptr<ImageSource> join_image_sources(std::vector<std::unique_ptr<ImageSource>> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_unique<JoinedSource>(std::move(parts));
}

}  // namespace effuse
