#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "image/image.hpp"

namespace effuse {

/// A generated image's file below `folder`: images/00001/00001234.png, a thousand to a folder.
std::filesystem::path image_file(const std::filesystem::path& folder, std::int64_t index);

/// One image of a batch uint8 [N, H, W, C] on the CPU.
Image image_at(const at::Tensor& images, std::int64_t place);

/// Writes image `index` as PNG, whole or not at all.
void write_image(const std::filesystem::path& folder, std::int64_t index, const Image& image);

/// Whether the file of image `index` is there and can be decoded. A damaged one is named in the
/// log.
bool has_whole_image(const std::filesystem::path& folder, std::int64_t index);

}  // namespace effuse
