#include "shards/statistics.hpp"

#include <cmath>

namespace effuse {
namespace {

/// Mean of (value / 255 - origin)^power.
double moment(const std::array<std::uint64_t, 256>& histogram, double origin, int power) {
  double sum = 0;
  double count = 0;
  for (std::size_t value = 0; value < histogram.size(); ++value) {
    const auto times = static_cast<double>(histogram[value]);
    sum += times * std::pow(static_cast<double>(value) / 255.0 - origin, power);
    count += times;
  }
  return count == 0 ? 0 : sum / count;
}

}  // namespace

double ChannelStatistics::mean() const { return moment(histogram, 0.0, 1); }

double ChannelStatistics::deviation() const { return std::sqrt(moment(histogram, mean(), 2)); }

DatasetStatistics compute_statistics(const ShardedDataset& dataset, ProgressStyle style) {
  DatasetStatistics statistics;
  statistics.images_of_class.resize(static_cast<std::size_t>(dataset.class_count()));
  const auto channels = static_cast<std::size_t>(dataset.channels());
  statistics.channels.resize(channels);
  Progress progress({.task = "inspect",
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(dataset.size()),
                     .style = style});
  std::vector<std::byte> pixels(dataset.image_bytes());
  for (std::int64_t index = 0; index < dataset.size(); ++index) {
    dataset.read(index, pixels);
    ++statistics.images_of_class[static_cast<std::size_t>(dataset.label(index))];
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      ++statistics.channels[i % channels].histogram[std::to_integer<std::size_t>(pixels[i])];
    }
    progress.update(static_cast<std::uint64_t>(index) + 1);
  }
  return statistics;
}

}  // namespace effuse
