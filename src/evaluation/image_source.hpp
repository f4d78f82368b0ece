#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "image/image.hpp"

namespace effuse {

/// A numbered set of images to be scored.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual std::int64_t count() const = 0;

  /// Grey or RGB. Throws DataError naming the image where it cannot be read. Any number of threads,
  /// up to readers().
  virtual Image image(std::int64_t index) const = 0;

  /// Tells the image from others of the set, and pairs it with one of another: the path below the
  /// folder, without extension, or its number.
  virtual std::string name(std::int64_t index) const = 0;

  /// Where a person finds it, for messages.
  virtual std::string place(std::int64_t index) const { return name(index); }

  /// How many threads can read with profit; 0: any number.
  virtual int readers() const { return 0; }

  /// Whether name() means something to a person, and has to be equal in pairs.
  virtual bool is_named() const { return false; }

  /// SHA-256 that identifies images and order; empty where nothing does.
  virtual std::string fingerprint() const { return {}; }

  /// SHA-256 by which a later job sees whether the images are still the same: the fingerprint, or
  /// names, sizes and times of change of their files, each of which is asked for. Throws
  /// std::system_error where one is gone.
  virtual std::string state() const { return fingerprint(); }
};

/// "28731 bytes of 1735689600000000000", for state(): size and time of the last change.
std::string state_of_file(const std::filesystem::path& file);

/// A folder of images (.png, .jpg, .webp; in itself and in subfolders), a packed data set, or a
/// .npz file whose arr_0 is uint8 [N, H, W, C]; of what effuse-sample wrote, the folder. Throws
/// DataError where it is none of them, or without images.
std::unique_ptr<ImageSource> open_image_source(const std::filesystem::path& path);

/// Several, one after the other.
std::unique_ptr<ImageSource> join_image_sources(std::vector<std::unique_ptr<ImageSource>> parts);

}  // namespace effuse
