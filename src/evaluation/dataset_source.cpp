#include "evaluation/dataset_source.hpp"

#include <span>
#include <string>
#include <utility>

#include "shards/sharded_dataset.hpp"

namespace effuse {
namespace {

class DatasetSource : public ImageSource {
 public:
  explicit DatasetSource(ShardedDataset dataset) : dataset_(std::move(dataset)) {}

  std::int64_t count() const override { return dataset_.size(); }
  Image image(std::int64_t index) const override {
    Image image(dataset_.height(), dataset_.width(), dataset_.channels());
    dataset_.read_verified(index, std::as_writable_bytes(std::span(image.pixels)));
    return image;
  }
  std::string name(std::int64_t index) const override {
    return std::filesystem::path(dataset_.path(index)).replace_extension().string();
  }
  std::string fingerprint() const override { return dataset_.fingerprint(); }

 private:
  ShardedDataset dataset_;
};

}  // namespace

std::unique_ptr<ImageSource> open_dataset_source(const std::filesystem::path& folder) {
  return std::make_unique<DatasetSource>(ShardedDataset::open(folder));
}

}  // namespace effuse
