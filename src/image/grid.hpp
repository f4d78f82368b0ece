#pragma once

#include <span>
#include <string>

#include "image/image.hpp"

namespace effuse {

/// One picture of many: `images` row by row in `columns` columns, two pixels apart on white, with
/// `column_labels` (may be empty) written above the columns. Small images are enlarged by a whole
/// factor; labels that still do not fit are cut ("ankle-bo.."). All images are of one size; an
/// empty one leaves its cell blank. Grey where all are grey, RGB otherwise. Throws Error where
/// sizes differ or there is no image at all.
Image make_grid(std::span<const Image> images, int columns,
                std::span<const std::string> column_labels = {});

}  // namespace effuse
