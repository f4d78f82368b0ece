#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shards/manifest.hpp"
#include "shards/shard_reader.hpp"

namespace effuse {

/// Which shards one rank opens, and which of them it reads.
enum class Opening { own_share, all };

/// What one rank found in its part of a data set.
struct ShareResult {
  std::int64_t images = 0;  ///< read and compared with their checksums
  std::uint64_t bytes = 0;
  double seconds = 0.0;               ///< of reading and comparing
  std::vector<std::string> problems;  ///< one a shard, the first twenty
  std::int64_t more_problems = 0;
};

/// One rank's part of a data set, every `world_size`-th shard, read bit by bit so that the ranks
/// can look at each other in between. One thread.
class ShardShare {
 public:
  ShardShare(std::filesystem::path folder, Manifest manifest, int rank, int world_size,
             Opening opening);

  /// Goes on for about `seconds`, at least by one image. True where everything is done.
  bool work(double seconds);

  /// Bytes of images in this part, readable or not.
  std::uint64_t total_bytes() const;

  /// Of those, gone through.
  std::uint64_t done_bytes() const { return done_bytes_; }

  const ShareResult& result() const { return result_; }

 private:
  bool is_own(std::size_t shard) const;
  std::uint64_t bytes_of(std::size_t shard) const;
  void open_shard();
  void read_image();
  void leave_shard();
  void add_problem(const std::string& problem);

  std::filesystem::path folder_;
  Manifest manifest_;
  std::size_t rank_;
  std::size_t world_size_;
  Opening opening_;
  std::size_t shard_ = 0;  ///< the one that is being read, or the next to open
  std::int64_t row_ = 0;
  std::optional<ShardReader> reader_;
  std::vector<std::byte> pixels_;
  std::int64_t damaged_ = 0;  ///< images of this shard
  std::string first_damage_;
  std::uint64_t done_bytes_ = 0;
  ShareResult result_;
};

}  // namespace effuse
