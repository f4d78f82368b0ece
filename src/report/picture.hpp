#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace effuse {

/// A picture inside of a page.
struct EmbeddedPicture {
  std::string data_uri;  ///< "data:image/png;base64,…"
  int width = 0;         ///< of the picture in the file, in pixels
  int height = 0;
  bool is_shrunk = false;  ///< it was too large, and is smaller, or lossy, in the page
};

/// A file of more bytes than `limit_bytes` is decoded, shrunk to at most 1000 pixels a side and
/// written as WebP; that takes some 0.1 s for each megabyte. All others are taken as they are.
/// Throws DataError where the file is no PNG, JPEG or WebP, std::system_error where it cannot be
/// read.
EmbeddedPicture embed_picture(const std::filesystem::path& file, std::uint64_t limit_bytes);

/// RFC 4648.
std::string base64(std::string_view bytes);

}  // namespace effuse
