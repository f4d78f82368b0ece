#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "image/image.hpp"

namespace effuse {

/// How an image becomes a file.
struct ImageCodec {
  std::string extension;                            ///< with its dot
  std::function<std::string(const Image&)> encode;  ///< the bytes of the file
};

/// `format`: png, jpeg or webp; quality, of the latter two: 1 … 100. Throws ConfigError for another
/// format.
ImageCodec image_codec(const std::string& format, int quality);

/// A generated image's file below `folder`: images/00001/00001234.png, a thousand to a folder.
std::filesystem::path image_file(const std::filesystem::path& folder, std::int64_t index,
                                 const std::string& extension);

/// One image of a batch uint8 [N, H, W, C] on the CPU.
Image image_at(const at::Tensor& images, std::int64_t place);

/// The images of a batch uint8 [N, H, W, C] on the CPU.
std::vector<Image> images_of(const at::Tensor& images);

/// Writes an image, whole or not at all, with its folders.
void write_image(const std::filesystem::path& file, const Image& image, const ImageCodec& codec);

/// Whether the file of an image is there and can be decoded. A damaged one is named in the log.
bool has_whole_image(const std::filesystem::path& file);

}  // namespace effuse
