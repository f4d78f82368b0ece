#pragma once

#include <filesystem>
#include <optional>

#include "generation/image_store.hpp"
#include "generation/set_file.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// A packed data set: dataset.json and shard-00000.h5 …, with the images' classes as labels and
/// their numbers as paths.
class ShardFiles : public SetFile {
 public:
  ShardFiles(std::filesystem::path folder, const StoreSettings& settings)
      : folder_(std::move(folder)), settings_(settings) {}

  at::Tensor kept(const at::Tensor& images) const override;
  at::Tensor pixels(const at::Tensor& kept) const override { return kept; }
  std::int64_t count() const override;
  at::Tensor read(std::int64_t place, std::int64_t count) const override;
  void write(std::int64_t images, const std::function<at::Tensor()>& next) const override;
  void remove() const override;

 private:
  std::filesystem::path folder_;
  StoreSettings settings_;
  mutable std::optional<ShardedDataset> dataset_;  ///< that is there, once it was asked for
};

}  // namespace effuse
