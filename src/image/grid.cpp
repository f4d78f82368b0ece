#include "image/grid.hpp"

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/font.hpp"

namespace effuse {
namespace {

constexpr int kGap_px = 2;
constexpr int kSmallestCell_px = 56;
constexpr int kWidestForLabel_px = 96;  // cells are enlarged no further than this for a label
constexpr std::uint8_t kBackground = 255;

struct Layout {
  int columns = 0;
  int rows = 0;
  int channels = 1;
  int factor = 1;  ///< of enlargement
  int cell_height = 0;
  int cell_width = 0;
  int font_scale = 1;
  int header = 0;  ///< height of the line of labels

  int top_of(int row) const { return kGap_px + header + row * (cell_height + kGap_px); }
  int left_of(int column) const { return kGap_px + column * (cell_width + kGap_px); }
};

const Image& first_shown(std::span<const Image> images) {
  const auto found =
      std::find_if(images.begin(), images.end(), [](const Image& image) { return !image.empty(); });
  if (found == images.end()) throw Error("a grid needs at least one image");
  for (const Image& image : images) {
    if (image.empty() || (image.height == found->height && image.width == found->width)) continue;
    throw Error(cat("images of ", found->width, "x", found->height, " and of ", image.width, "x",
                    image.height, " pixels do not fit into one grid"));
  }
  return *found;
}

int widest(std::span<const std::string> labels) {
  int width = 0;
  for (const std::string& label : labels) width = std::max(width, text_width_px(label));
  return width;
}

int rounded_up(int a, int b) { return (a + b - 1) / b; }

Layout plan(std::span<const Image> images, int columns, std::span<const std::string> labels) {
  const Image& example = first_shown(images);
  Layout layout;
  layout.columns = std::max(1, columns);
  layout.rows = rounded_up(static_cast<int>(images.size()), layout.columns);
  const int wanted_px = std::clamp(widest(labels), kSmallestCell_px, kWidestForLabel_px);
  layout.factor = std::max(1, rounded_up(wanted_px, example.width));
  layout.cell_height = example.height * layout.factor;
  layout.cell_width = example.width * layout.factor;
  if (!labels.empty()) {
    layout.font_scale = std::max(1, layout.cell_width / 100);
    layout.header = layout.font_scale * kGlyphHeight_px + 2 * kGap_px;
  }
  for (const Image& image : images) layout.channels = std::max(layout.channels, image.channels);
  return layout;
}

Image enlarged(const Image& image, int factor) {
  if (factor == 1) return image;
  Image result(image.height * factor, image.width * factor, image.channels);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      std::copy_n(image.at(y / factor, x / factor), image.channels, result.at(y, x));
    }
  }
  return result;
}

void draw_label(Image& grid, const Layout& layout, int column, const std::string& label) {
  const std::string shown = cut_to_width(label, layout.cell_width / layout.font_scale);
  const int width = text_width_px(shown) * layout.font_scale;
  draw_text(grid, shown, kGap_px, layout.left_of(column) + (layout.cell_width - width) / 2,
            layout.font_scale);
}

}  // namespace

Image make_grid(std::span<const Image> images, int columns,
                std::span<const std::string> column_labels) {
  const Layout layout = plan(images, columns, column_labels);
  Image grid(layout.top_of(layout.rows), layout.left_of(layout.columns), layout.channels);
  std::fill(grid.pixels.begin(), grid.pixels.end(), kBackground);
  for (int i = 0; i < static_cast<int>(images.size()); ++i) {
    const Image& image = images[static_cast<std::size_t>(i)];
    if (image.empty()) continue;
    paste(grid, enlarged(with_channels(image, layout.channels), layout.factor),
          layout.top_of(i / layout.columns), layout.left_of(i % layout.columns));
  }
  const int labelled = std::min(layout.columns, static_cast<int>(column_labels.size()));
  for (int column = 0; column < labelled; ++column) {
    draw_label(grid, layout, column, column_labels[static_cast<std::size_t>(column)]);
  }
  return grid;
}

}  // namespace effuse
