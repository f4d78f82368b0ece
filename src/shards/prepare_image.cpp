#include "shards/prepare_image.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <system_error>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "image/decode.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

/// The bytes of an image file. Throws DataError where there is no plain file: reading a pipe would
/// wait for ever.
std::string read_image_file(const fs::path& path) {
  if (fs::is_symlink(path) && !fs::exists(path)) {
    throw DataError(
        cat("a link to ", valid_utf8(fs::read_symlink(path).string()), ", which is not there"));
  }
  if (!fs::is_regular_file(path)) throw DataError("not a regular file");
  return read_file(path);
}

}  // namespace

PreparedImage prepare(const PackPlan& plan, const SourceImage& source) {
  PreparedImage prepared;
  try {
    const std::string file = read_image_file(plan.source.folder / source.path);
    prepared.pixels =
        fit_image(decode_image(std::as_bytes(std::span(file)), plan.target), plan.target).pixels;
    prepared.crc = crc32c(std::as_bytes(std::span(prepared.pixels)));
  } catch (const DataError& error) {
    prepared.problem = error.what();
  } catch (const std::system_error& error) {
    prepared.problem = error.code().message();
  }
  return prepared;
}

}  // namespace effuse
