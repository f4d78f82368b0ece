#include "shards/image_folder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepestFolder = 64;  // more can only be a link that leads back up

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

bool is_named_as_image(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  constexpr std::array<std::string_view, 4> kExtensions{".png", ".jpg", ".jpeg", ".webp"};
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

/// A file that is named as an image, whether it can be read or not: a dangling link, or a pipe, is
/// an image that was lost, and has to be reported.
SourceImage source_image(const fs::directory_entry& entry, const std::string& path) {
  return {path, 0, entry.is_regular_file() ? entry.file_size() : 0};
}

/// Entries that are not hidden, sorted by bytes; hidden files are counted as ignored.
std::vector<fs::directory_entry> entries_of(const fs::path& folder, std::int64_t& ignored_files) {
  std::vector<fs::directory_entry> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!is_hidden(entry.path())) {
      entries.push_back(entry);
    } else if (entry.is_regular_file()) {
      ++ignored_files;
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
  return entries;
}

/// Collects the image files at and below `folder` in any order.
void collect(const fs::path& folder, const std::string& prefix, int depth, ImageFolder& found) {
  if (depth > kDeepestFolder) {
    throw DataError(cat("folders are nested more than ", kDeepestFolder, " deep at ",
                        folder.string(), " (a link that leads back up?)"));
  }
  for (const fs::directory_entry& entry : entries_of(folder, found.ignored_files)) {
    const std::string path = prefix + entry.path().filename().string();
    if (entry.is_directory()) {
      collect(entry.path(), path + "/", depth + 1, found);
    } else if (is_named_as_image(entry.path())) {
      found.images.push_back(source_image(entry, path));
    } else {
      ++found.ignored_files;
    }
  }
}

/// The images of one class folder become the next class; a folder without any becomes none.
void add_class(const fs::path& class_folder, ImageFolder& found) {
  const std::string name = class_folder.filename().string();
  const std::size_t before = found.images.size();
  collect(class_folder, name + "/", 0, found);
  const auto first = found.images.begin() + static_cast<std::ptrdiff_t>(before);
  if (first == found.images.end()) {
    found.empty_folders.push_back(name);
    return;
  }
  std::sort(first, found.images.end(),
            [](const SourceImage& a, const SourceImage& b) { return a.path < b.path; });
  const auto label = static_cast<std::int64_t>(found.classes.size());
  std::for_each(first, found.images.end(), [&](SourceImage& image) { image.label = label; });
  found.classes.push_back(valid_utf8(name));
}

void scan(ImageFolder& found) {
  std::vector<SourceImage> beside;
  for (const fs::directory_entry& entry : entries_of(found.folder, found.ignored_files)) {
    if (entry.is_directory()) {
      add_class(entry.path(), found);
    } else if (is_named_as_image(entry.path())) {
      beside.push_back(source_image(entry, entry.path().filename().string()));
    } else {
      ++found.ignored_files;
    }
  }
  found.labelled = !found.images.empty();
  if (found.labelled) {
    found.unlabelled_images = static_cast<std::int64_t>(beside.size());
  } else {
    found.images = std::move(beside);
    found.classes = {kUnlabelledClass};
  }
}

/// What `look` finds in a folder. Throws DataError where that is nothing.
ImageFolder looked_into(const fs::path& folder, void (*look)(ImageFolder&)) {
  ImageFolder found;
  found.folder = folder;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw DataError(cat("image folder ", folder.string(), " ",
                        fs::exists(folder, error) ? "is no folder." : "does not exist."));
  }
  try {
    look(found);
  } catch (const fs::filesystem_error& failure) {
    throw DataError(
        cat("cannot look into ", failure.path1().string(), ": ", failure.code().message()));
  }
  if (found.images.empty()) {
    throw DataError(cat("image folder ", folder.string(), " holds no image (", found.ignored_files,
                        " other files were ignored). Images are files ",
                        "named .png, .jpg, .jpeg or .webp."));
  }
  return found;
}

}  // namespace

ImageFolder scan_image_folder(const fs::path& folder) { return looked_into(folder, scan); }

ImageFolder scan_images_below(const fs::path& folder) {
  return looked_into(folder, [](ImageFolder& found) {
    collect(found.folder, "", 0, found);
    std::ranges::sort(found.images, {}, &SourceImage::path);
    found.classes = {kUnlabelledClass};
  });
}

std::string ImageFolder::fingerprint() const {
  Sha256 hash;
  for (const SourceImage& image : images) {
    const std::string line = cat(image.path, '\0', image.size_bytes, '\n');
    hash.update(std::as_bytes(std::span(line)));
  }
  return hash.hex_digest();
}

}  // namespace effuse
