#pragma once

#include <string>
#include <string_view>

#include "image/image.hpp"

namespace effuse {

inline constexpr int kGlyphWidth_px = 5;
inline constexpr int kGlyphHeight_px = 8;  ///< seven, and one below the line for g, j, p, q, y

/// Width of a text at scale 1, glyphs one pixel apart.
int text_width_px(std::string_view text);

/// `text`, or as much of its beginning as fits into `width_px` with ".." after it.
std::string cut_to_width(std::string_view text, int width_px);

/// Writes `text` in black with its upper left corner at (top, left), each dot `scale` pixels wide.
/// What lies outside the image is left out; what is not printable ASCII shows as "?".
void draw_text(Image& image, std::string_view text, int top, int left, int scale);

}  // namespace effuse
