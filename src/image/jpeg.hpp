#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "image/fit.hpp"
#include "image/image.hpp"

namespace effuse {

/// See decode_image(). Without a target the full size.
Image decode_jpeg(std::span<const std::byte> file, const std::optional<Target>& target);

}  // namespace effuse
