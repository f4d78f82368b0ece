#include "shards/manifest.hpp"

#include <nlohmann/json.hpp>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "shards/part_files.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFileName = "dataset.json";

Json to_json(const PackParameters& p) {
  return {{"channels", p.channels},
          {"fit", p.fit},
          {"image_size", p.image_size},
          {"shard_size_mib", p.shard_size_mib}};
}

Json to_json(const ShardEntry& shard) {
  return {{"file", shard.file},
          {"images", shard.images},
          {"size_bytes", shard.size_bytes},
          {"sha256", shard.sha256},
          {"end_source", shard.end_source}};
}

Json to_json(const UnreadableImage& image) {
  return {{"source", image.source}, {"path", image.path}, {"reason", image.reason}};
}

template <class Items>
Json list_of(const Items& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

PackParameters parameters_of(const Json& json) {
  return {json.at("image_size"), json.at("channels"), json.at("fit"), json.at("shard_size_mib")};
}

ShardEntry shard_of(const Json& json) {
  return {json.at("file"), json.at("images"), json.at("size_bytes"), json.at("sha256"),
          json.at("end_source")};
}

UnreadableImage unreadable_of(const Json& json) {
  return {json.at("source"), json.at("path"), json.at("reason")};
}

Manifest manifest_of(const Json& json) {
  Manifest manifest;
  manifest.complete = json.at("complete");
  const Json& image = json.at("image");
  manifest.shape = {image.at("height"), image.at("width"), image.at("channels")};
  manifest.classes = json.at("classes").get<std::vector<std::string>>();
  manifest.parameters = parameters_of(json.at("parameters"));
  manifest.source_images = json.at("source").at("images");
  manifest.source_sha256 = json.at("source").at("sha256");
  for (const Json& shard : json.at("shards")) manifest.shards.push_back(shard_of(shard));
  for (const Json& image_left_out : json.at("unreadable")) {
    manifest.unreadable.push_back(unreadable_of(image_left_out));
  }
  return manifest;
}

void check_sense(const Manifest& manifest, const std::string& file) {
  const ImageShape& s = manifest.shape;
  if (s.height < 1 || s.width < 1 || s.channels < 1 || manifest.classes.empty()) {
    throw DataError(cat(file, " is damaged: images of ", s.width, "x", s.height, "x", s.channels,
                        " in ", manifest.classes.size(), " classes make no sense"));
  }
  for (const ShardEntry& shard : manifest.shards) {
    if (shard.images < 1 || std::filesystem::path(shard.file).filename() != shard.file) {
      throw DataError(cat(file, " is damaged: shard \"", shard.file, "\" with ", shard.images,
                          " images makes no sense"));
    }
  }
}

void check_folder(const std::filesystem::path& dataset) {
  std::error_code error;
  if (!std::filesystem::is_directory(dataset, error)) {
    throw DataError(cat("data set folder ", dataset.string(), " ",
                        std::filesystem::exists(dataset, error) ? "is no folder" : "does not exist",
                        ". effuse-pack makes one from a folder of images."));
  }
  if (std::filesystem::exists(dataset / kFileName, error)) return;
  const std::vector<Part> parts = parts_in(dataset);
  if (!parts.empty()) {
    throw DataError(
        cat(dataset.string(), " is being packed in ", parts.front().of,
            " parts (it is a data set once all are done). effuse-pack --merge with the ",
            "settings they have says which are not, or merges them."));
  }
  const bool empty = std::filesystem::is_empty(dataset, error);
  throw DataError(cat(dataset.string(), empty ? " is empty" : cat(" holds no ", kFileName),
                      " (it is not a packed data set). effuse-pack --input IMAGES --output ",
                      dataset.string(), " makes one from a folder of images."));
}

}  // namespace

std::size_t ImageShape::size_bytes() const {
  return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
         static_cast<std::size_t>(channels);
}

std::string PackParameters::json() const { return to_json(*this).dump(); }

std::vector<std::string> differences(const PackParameters& there, const PackParameters& here) {
  std::vector<std::string> found;
  const auto compare = [&](const char* name, const auto& a, const auto& b) {
    if (a != b) found.push_back(cat("pack.", name, " is ", a, " there and ", b, " here"));
  };
  compare("image_size", there.image_size, here.image_size);
  compare("channels", there.channels, here.channels);
  compare("fit", there.fit, here.fit);
  compare("shard_size_mib", there.shard_size_mib, here.shard_size_mib);
  return found;
}

std::int64_t Manifest::image_count() const {
  std::int64_t count = 0;
  for (const ShardEntry& shard : shards) count += shard.images;
  return count;
}

std::string Manifest::fingerprint() const {
  Json identity = {{"height", shape.height}, {"width", shape.width}, {"channels", shape.channels}};
  identity["classes"] = classes;
  identity["shards"] = Json::array();
  for (const ShardEntry& shard : shards) identity["shards"].push_back(shard.sha256);
  return sha256_of(identity.dump());
}

std::filesystem::path manifest_path(const std::filesystem::path& dataset) {
  return dataset / kFileName;
}

Manifest read_manifest(const std::filesystem::path& path) {
  const std::string file = path.string();
  const std::string text = read_file(path);
  Manifest manifest;
  try {
    const Json json = Json::parse(text);
    const std::int64_t format = json.at("format");
    if (format != kShardFormatVersion) {
      throw DataError(cat(file, " has format ", format, ", this program reads format ",
                          kShardFormatVersion, ". Use the release that packed it, or pack again."));
    }
    manifest = manifest_of(json);
  } catch (const nlohmann::json::exception& error) {
    throw DataError(cat(file, " is damaged: ", error.what(), ". Copy it again, or pack again."));
  }
  check_sense(manifest, file);
  return manifest;
}

Manifest load_manifest(const std::filesystem::path& dataset) {
  check_folder(dataset);
  return read_manifest(manifest_path(dataset));
}

Manifest load_whole_manifest(const std::filesystem::path& dataset) {
  Manifest manifest = load_manifest(dataset);
  if (!manifest.complete) {
    throw DataError(cat("data set ", dataset.string(), " is not packed to its end (",
                        human_count(static_cast<std::uint64_t>(manifest.image_count())),
                        " images so far). Run the same effuse-pack command again: it continues."));
  }
  if (manifest.shards.empty()) throw DataError(cat(dataset.string(), " holds no images."));
  return manifest;
}

void save_manifest(const Manifest& manifest, const std::filesystem::path& dataset) {
  write_manifest(manifest, manifest_path(dataset));
}

void write_manifest(const Manifest& manifest, const std::filesystem::path& file) {
  Json json;
  json["format"] = kShardFormatVersion;
  json["complete"] = manifest.complete;
  json["images"] = manifest.image_count();
  json["image"] = {{"height", manifest.shape.height},
                   {"width", manifest.shape.width},
                   {"channels", manifest.shape.channels},
                   {"encoding", "raw"}};
  json["classes"] = manifest.classes;
  json["parameters"] = to_json(manifest.parameters);
  json["parameters_sha256"] = sha256_of(manifest.parameters.json());
  json["source"] = {{"images", manifest.source_images}, {"sha256", manifest.source_sha256}};
  json["shards"] = list_of(manifest.shards);
  json["unreadable"] = list_of(manifest.unreadable);
  write_file_atomically(file, json.dump(2) + "\n");
}

std::string shard_file_name(std::size_t number) {
  const std::string digits = std::to_string(number);
  return cat("shard-", std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0'), digits, ".h5");
}

}  // namespace effuse
