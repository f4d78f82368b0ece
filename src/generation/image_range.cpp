#include "generation/image_range.hpp"

#include "core/error.hpp"
#include "core/number_pair.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Files have numbers of eight digits.
constexpr std::int64_t kLastImage = 99'999'999;

}  // namespace

IndexRange parse_image_range(const std::string& text) {
  const auto pair = number_pair(text, '-');
  if (!pair || pair->first > pair->second || pair->second > kLastImage) {
    throw ConfigError(cat("sampling.seeds is \"", text,
                          "\"; it must be FIRST-LAST, two image numbers from 0 to ", kLastImage,
                          ", the first not above the last, as 0-49999"));
  }
  return {pair->first, pair->second + 1};
}

std::string to_text(const IndexRange& range) { return cat(range.first, "-", range.end - 1); }

}  // namespace effuse
