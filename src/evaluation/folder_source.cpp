#include "evaluation/folder_source.hpp"

#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "image/decode.hpp"
#include "shards/image_folder.hpp"

namespace effuse {
namespace {

class FolderSource : public ImageSource {
 public:
  explicit FolderSource(ImageFolder folder) : folder_(std::move(folder)) {}

  std::int64_t count() const override { return static_cast<std::int64_t>(folder_.images.size()); }
  Image image(std::int64_t index) const override {
    const std::filesystem::path file = place(index);
    try {
      const std::string bytes = read_file(file);
      return decode_image(std::as_bytes(std::span(bytes)));
    } catch (const DataError& error) {
      throw DataError(cat(file.string(), " cannot be read: ", error.what()));
    } catch (const std::system_error& error) {
      throw DataError(error.what());
    }
  }
  std::string place(std::int64_t index) const override {
    return (folder_.folder / path(index)).string();
  }
  bool is_named() const override { return true; }
  std::string name(std::int64_t index) const override {
    return std::filesystem::path(path(index)).replace_extension().string();
  }
  std::string state() const override {
    Sha256 digest;
    for (std::int64_t i = 0; i < count(); ++i) {
      const std::string line = cat(path(i), " ", state_of_file(place(i)), "\n");
      digest.update(std::as_bytes(std::span(line)));
    }
    return digest.hex_digest();
  }

 private:
  const std::string& path(std::int64_t index) const {
    return folder_.images.at(static_cast<std::size_t>(index)).path;
  }

  ImageFolder folder_;
};

}  // namespace

std::unique_ptr<ImageSource> open_folder_source(const std::filesystem::path& folder) {
  return std::make_unique<FolderSource>(scan_images_below(folder));
}

}  // namespace effuse
