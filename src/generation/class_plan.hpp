#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace effuse {

/// Which class each image of a set has: image i has class classes[i mod n]. Image numbers alone
/// decide, so ranks and tiles do not matter.
class ClassPlan {
 public:
  /// `wanted` holds class names or numbers, or "all" alone. `names` are the model's classes; empty
  /// for an unconditional model. Throws ConfigError with the nearest name.
  ClassPlan(std::span<const std::string> wanted, std::span<const std::string> names);

  /// The classes in the lines of a text file, by name or number, as sampling.classes_file gives
  /// them. Throws ConfigError naming file and line.
  static ClassPlan of_file(const std::filesystem::path& file, std::span<const std::string> names);

  /// As often as `counts` says, by class, spread evenly (spread_classes()); for images 0 …
  /// images-1.
  static ClassPlan of_counts(std::span<const std::int64_t> counts, std::int64_t images);

  /// A class for each image by its number, as sampling.labels gives them. Throws ConfigError for an
  /// unconditional model and for a number it does not know.
  static ClassPlan of_labels(std::span<const std::int64_t> labels,
                             std::span<const std::string> names);

  /// False for an unconditional model.
  bool conditional() const { return !classes_.empty(); }

  /// Class of image `index`; 0 for an unconditional model.
  std::int64_t label(std::int64_t index) const;

  std::span<const std::int64_t> classes() const { return classes_; }

 private:
  ClassPlan() = default;

  std::vector<std::int64_t> classes_;
};

}  // namespace effuse
