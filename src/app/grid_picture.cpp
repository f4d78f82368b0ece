#include "app/grid_picture.hpp"

#include <vector>

#include "core/files.hpp"
#include "generation/image_files.hpp"
#include "image/grid.hpp"
#include "image/png.hpp"

namespace effuse {
namespace {

constexpr int kColumns = 8;  ///< where classes do not say it
constexpr std::size_t kLabelledColumns = 32;

}  // namespace

GridLayout grid_layout(const ClassPlan& classes, std::span<const std::string> class_names,
                       std::int64_t first) {
  if (!classes.conditional() || classes.classes().size() > kLabelledColumns) {
    return {kColumns, {}};
  }
  const bool is_one = classes.classes().size() == 1;
  GridLayout layout{is_one ? kColumns : static_cast<int>(classes.classes().size()), {}};
  for (std::int64_t i = first; i < first + layout.columns; ++i) {
    layout.labels.push_back(class_names[static_cast<std::size_t>(classes.label(i))]);
  }
  return layout;
}

void write_grid_picture(const std::filesystem::path& file, std::span<const Image> images,
                        const GridLayout& layout) {
  write_file_atomically(file, encode_png(make_grid(images, layout.columns, layout.labels)));
}

void write_grid_picture(const std::filesystem::path& file, const at::Tensor& images,
                        const GridLayout& layout) {
  write_grid_picture(file, images_of(images), layout);
}

}  // namespace effuse
