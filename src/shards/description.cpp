#include "shards/description.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::size_t kMostLines = 40;  // of classes or shards; the rest is summed up
constexpr double kBarWidth = 24;

std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

/// Letters of UTF-8 text.
std::size_t letters_in(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string left(const std::string& text, std::size_t width) {
  const std::size_t letters = letters_in(text);
  return text + std::string(letters < width ? width - letters : 0, ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string bar(double share_of_largest) {
  const auto length = static_cast<int>(std::lround(share_of_largest * kBarWidth));
  std::string text;
  for (int i = 0; i < length; ++i) text += "█";
  return text;
}

std::string overview(const ShardedDataset& dataset) {
  const Manifest& manifest = dataset.manifest();
  std::uint64_t bytes = 0;
  for (const ShardEntry& shard : manifest.shards) bytes += shard.size_bytes;
  const PackParameters& p = manifest.parameters;
  std::string text =
      cat("data set     ", dataset.folder().string(), "\nimages       ",
          human_count(unsigned_of(dataset.size())), " of ", dataset.width(), "x", dataset.height(),
          dataset.channels() == 1 ? ", grey" : ", RGB", "\nshards       ", manifest.shards.size(),
          ", ", human_bytes(bytes), "\npacked with  image_size ", p.image_size, ", channels ",
          p.channels, ", fit ", p.fit, ", shard_size_mib ", p.shard_size_mib, "\nfingerprint  ",
          dataset.fingerprint(), "\n");
  if (!manifest.unreadable.empty()) {
    text += cat("left out     ", human_count(manifest.unreadable.size()),
                " unreadable images, see quarantine.csv\n");
  }
  return text;
}

std::string class_table(const ShardedDataset& dataset, const DatasetStatistics& statistics) {
  const std::vector<std::int64_t>& counts = statistics.images_of_class;
  const std::size_t shown = std::min(kMostLines, counts.size());
  const auto largest = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  std::size_t width = 5;
  for (std::size_t i = 0; i < shown; ++i)
    width = std::max(width, letters_in(dataset.class_names()[i]));
  std::string text = cat("\n  no  ", left("class", width), "      images   share\n");
  for (std::size_t i = 0; i < shown; ++i) {
    const auto count = static_cast<double>(counts[i]);
    text += cat(right(std::to_string(i), 4), "  ", left(dataset.class_names()[i], width), "  ",
                right(human_count(unsigned_of(counts[i])), 10), "  ",
                right(fixed(100 * count / static_cast<double>(dataset.size()), 1), 5), "%  ",
                bar(count / largest), "\n");
  }
  if (shown == counts.size()) return text;
  const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
  return text + cat("      … and ", counts.size() - shown, " more; ",
                    human_count(unsigned_of(*low)), " to ", human_count(unsigned_of(*high)),
                    " images a class\n");
}

std::string channel_table(const DatasetStatistics& statistics) {
  static const std::vector<std::string> kColours{"red", "green", "blue"};
  std::string text = "\nchannel    mean  deviation  (of values from 0 to 1)\n";
  for (std::size_t i = 0; i < statistics.channels.size(); ++i) {
    const ChannelStatistics& channel = statistics.channels[i];
    const std::string name = statistics.channels.size() == 3 ? kColours[i] : "grey";
    text += cat(left(name, 7), right(fixed(channel.mean(), 4), 8),
                right(fixed(channel.deviation(), 4), 11), "\n");
  }
  return text;
}

std::string shard_table(const Manifest& manifest) {
  std::string text = "\nshard              images        size  sha256\n";
  const std::size_t shown = std::min(kMostLines, manifest.shards.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const ShardEntry& shard = manifest.shards[i];
    text += cat(left(shard.file, 14), right(human_count(unsigned_of(shard.images)), 11),
                right(human_bytes(shard.size_bytes), 12), "  ", shard.sha256.substr(0, 16), "\n");
  }
  if (shown < manifest.shards.size()) {
    text += cat("… and ", manifest.shards.size() - shown, " more\n");
  }
  return text;
}

}  // namespace

std::string describe(const ShardedDataset& dataset, const DatasetStatistics& statistics) {
  return overview(dataset) + class_table(dataset, statistics) + channel_table(statistics) +
         shard_table(dataset.manifest());
}

std::string describe(const VerifyReport& report) {
  if (report.sound()) {
    return cat("\nall ", human_count(unsigned_of(report.images)), " checksums are right\n");
  }
  std::string text = cat("\n", human_count(report.damaged.size()), " of ",
                         human_count(unsigned_of(report.images)), " images are damaged\n");
  for (const DamagedImage& image : report.damaged) {
    text += cat("  ", image.shard, "  image ", image.row, "  ", image.path, "  ", image.complaint,
                "\n");
  }
  for (const std::string& shard : report.changed_shards) {
    text += cat("  ", shard, "  pixels are sound, but labels, paths or structure have changed\n");
  }
  return text;
}

}  // namespace effuse
