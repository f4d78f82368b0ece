#pragma once

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "core/files.hpp"
#include "image/image.hpp"

namespace effuse {

inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(EFFUSE_GOLDEN) / "image" / name;
}

/// What PIL saw, as tests/golden/image/make.py wrote it.
inline Image golden_pixels(const std::string& name) {
  const std::string bytes = read_file(golden(name + ".raw"));
  std::uint32_t header[3];
  std::memcpy(header, bytes.data(), sizeof(header));
  Image image(static_cast<int>(header[0]), static_cast<int>(header[1]),
              static_cast<int>(header[2]));
  std::memcpy(image.pixels.data(), bytes.data() + sizeof(header), image.pixels.size());
  return image;
}

/// Largest difference of a value; 256 where the shapes differ.
inline int largest_difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width || a.channels != b.channels) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    largest = std::max(largest, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  }
  return largest;
}

}  // namespace effuse
