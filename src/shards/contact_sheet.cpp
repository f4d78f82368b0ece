#include "shards/contact_sheet.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/grid.hpp"

namespace effuse {
namespace {

constexpr int kMostColumns = 20;

Image image_at(const ShardedDataset& dataset, std::int64_t index) {
  Image image(dataset.height(), dataset.width(), dataset.channels());
  dataset.read(index, std::as_writable_bytes(std::span(image.pixels)));
  return image;
}

std::vector<std::vector<std::int64_t>> indices_by_class(const ShardedDataset& dataset) {
  std::vector<std::vector<std::int64_t>> indices(static_cast<std::size_t>(dataset.class_count()));
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    indices[static_cast<std::size_t>(dataset.label(i))].push_back(i);
  }
  return indices;
}

/// The place of item `number` of `shown` spread evenly over `count`, shown <= count.
std::int64_t spread(std::int64_t number, std::int64_t shown, std::int64_t count) {
  return number * count / shown;
}

Image sheet_by_class(const ShardedDataset& dataset, std::int64_t images) {
  const auto by_class = indices_by_class(dataset);
  const auto columns = static_cast<std::int64_t>(by_class.size());
  const std::int64_t rows = std::max<std::int64_t>(1, images / columns);
  std::vector<Image> cells;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const std::vector<std::int64_t>& members : by_class) {
      const auto count = static_cast<std::int64_t>(members.size());
      const std::int64_t shown = std::min(rows, count);
      const auto place = static_cast<std::size_t>(row < shown ? spread(row, shown, count) : 0);
      cells.push_back(row < shown ? image_at(dataset, members[place]) : Image());
    }
  }
  return make_grid(cells, static_cast<int>(columns), dataset.class_names());
}

Image plain_sheet(const ShardedDataset& dataset, std::int64_t images) {
  const std::int64_t shown = std::min(images, dataset.size());
  std::vector<Image> cells;
  for (std::int64_t i = 0; i < shown; ++i) {
    cells.push_back(image_at(dataset, spread(i, shown, dataset.size())));
  }
  const auto columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(shown))));
  return make_grid(cells, std::min(columns, kMostColumns));
}

}  // namespace

Image make_contact_sheet(const ShardedDataset& dataset, std::int64_t images) {
  const bool by_class = dataset.class_count() > 1 && dataset.class_count() <= kMostColumns;
  return by_class ? sheet_by_class(dataset, images) : plain_sheet(dataset, images);
}

}  // namespace effuse
