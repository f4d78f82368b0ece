#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace effuse {

/// An image file that was found. Whether it can be read shows later.
struct SourceImage {
  std::string path;  ///< relative to the folder, bytes as the file system has them
  std::int64_t label = 0;
  std::uint64_t size_bytes = 0;
};

/// The image files of a folder in ImageFolder layout: each subfolder is a class, sorted by bytes,
/// and within a class files are sorted by the bytes of their relative path. A folder that holds
/// images directly, and none in subfolders, is one class without a label.
struct ImageFolder {
  std::filesystem::path folder;
  std::vector<std::string> classes;
  std::vector<SourceImage> images;
  bool labelled = false;
  std::int64_t ignored_files = 0;          ///< hidden, or not named as an image
  std::int64_t unlabelled_images = 0;      ///< ignored: beside the class folders
  std::vector<std::string> empty_folders;  ///< ignored: subfolders without images

  /// SHA-256 over relative paths and sizes.
  std::string fingerprint() const;
};

/// The one class of a flat folder.
inline constexpr const char* kUnlabelledClass = "unlabelled";

/// Throws DataError where the folder is missing, cannot be read or holds no image file.
ImageFolder scan_image_folder(const std::filesystem::path& folder);

/// The same, of all image files at and below the folder, wherever they lie, without labels, sorted
/// by the bytes of their relative path.
ImageFolder scan_images_below(const std::filesystem::path& folder);

}  // namespace effuse
