#include "evaluation/sampled_source.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "evaluation/dataset_source.hpp"
#include "evaluation/folder_source.hpp"
#include "evaluation/npz_source.hpp"
#include "shards/manifest.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

fs::path record_of(const fs::path& folder) { return folder / "samples.json"; }

std::unique_ptr<ImageSource> open_images(const fs::path& folder) {
  if (fs::exists(manifest_path(folder))) return open_dataset_source(folder);
  if (fs::exists(folder / "images.npz")) return open_npz_source(folder / "images.npz");
  if (fs::is_directory(folder / "images")) return open_folder_source(folder / "images");
  throw DataError(cat(folder.string(),
                      " holds no images that can be scored (floats of --format safetensors cannot, "
                      "nor tiles of a set that is not complete). Make it with --format npz."));
}

}  // namespace

bool is_sampled_set(const fs::path& folder) { return fs::exists(record_of(folder)); }

std::unique_ptr<ImageSource> open_sampled_source(const fs::path& folder) {
  auto images = open_images(folder);
  const auto record =
      nlohmann::json::parse(read_file(record_of(folder)), nullptr, /*allow_exceptions=*/false);
  const bool is_complete = record.is_object() && record.value("complete", nlohmann::json()) == true;
  if (!is_complete) {
    log::warning(folder.string(), " is not complete (see samples.json): its ", images->count(),
                 " images are scored as they are");
  }
  return images;
}

}  // namespace effuse
