#include "app/image_size.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/number_pair.hpp"
#include "core/text.hpp"
#include "models/factory.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kLargestSide = 65536;

ImageSize parse(const std::string& text) {
  const auto side = plain_number(text);
  const auto sides = number_pair(text, 'x');
  const ImageSize size = side    ? ImageSize{*side, *side}
                         : sides ? ImageSize{sides->second, sides->first}
                                 : ImageSize{};
  if (std::min(size.height, size.width) > 0 && std::max(size.height, size.width) <= kLargestSide) {
    return size;
  }
  throw ConfigError(cat("sampling.size is \"", text,
                        "\"; it must be SIDE or WIDTHxHEIGHT, of 1 to ", kLargestSide,
                        " pixels each, as 64 or 96x64"));
}

std::int64_t nearest_multiple(std::int64_t side, std::int64_t factor) {
  return std::max(factor, (side + factor / 2) / factor * factor);
}

}  // namespace

ImageSize image_size(const SamplingConfig& sampling, const ModelConfig& model) {
  if (sampling.size.empty()) return {model.sample_size, model.sample_size};
  const ImageSize size = parse(sampling.size);
  const std::int64_t factor = image_size_factor(model);
  if (size.height % factor == 0 && size.width % factor == 0) return size;
  throw ConfigError(cat("sampling.size is ", sampling.size, ", but the levels of the network ",
                        model.name, " halve images down to 1/", factor,
                        ": width and height must be multiples of ", factor, ". The nearest is ",
                        nearest_multiple(size.width, factor), "x",
                        nearest_multiple(size.height, factor), "."));
}

}  // namespace effuse
