#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "generation/class_plan.hpp"
#include "image/image.hpp"

namespace effuse {

/// How a set of generated images is shown as one picture.
struct GridLayout {
  int columns = 8;
  std::vector<std::string> labels;  ///< one per column, or none
};

/// A labelled column a class for images from number `first` on of a conditional set of up to 32
/// classes, eight columns without labels otherwise.
GridLayout grid_layout(const ClassPlan& classes, std::span<const std::string> class_names,
                       std::int64_t first = 0);

/// Writes the images, row by row, as one PNG.
void write_grid_picture(const std::filesystem::path& file, std::span<const Image> images,
                        const GridLayout& layout);

/// The same for uint8 [N, H, W, C] on the CPU.
void write_grid_picture(const std::filesystem::path& file, const at::Tensor& images,
                        const GridLayout& layout);

}  // namespace effuse
