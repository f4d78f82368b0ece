#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "image/fit.hpp"
#include "image/image.hpp"

namespace effuse {

/// See decode_image(). Without a target the full size.
Image decode_jpeg(std::span<const std::byte> file, const std::optional<Target>& target);

/// A JPEG file, grey or RGB, its colours not subsampled (4:4:4). quality: 1 … 100.
std::string encode_jpeg(const Image& image, int quality);

}  // namespace effuse
