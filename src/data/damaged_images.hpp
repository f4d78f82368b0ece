#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace effuse {

/// Images found damaged while training: each is reported once, until there are too many of them.
/// Thread-safe.
class DamagedImages {
 public:
  /// Told of each new image: its number in the data set and what is wrong with it.
  using Report = std::function<void(std::int64_t image, const std::string& damage)>;

  /// `limit` images may be damaged.
  explicit DamagedImages(std::int64_t limit, Report report = {});

  /// Takes the image in. Throws DataError, with `damage`, where that is one too many.
  void add(std::int64_t image, const std::string& damage);

  /// How many there are.
  std::int64_t count() const;

 private:
  std::int64_t limit_;
  Report report_;
  mutable std::mutex mutex_;
  std::set<std::int64_t> images_;
};

}  // namespace effuse
