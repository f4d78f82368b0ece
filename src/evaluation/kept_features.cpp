#include "evaluation/kept_features.hpp"

#include <ATen/ATen.h>
#include <torch/version.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "checkpoint/tensor_bytes.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "core/zero_padded.hpp"
#include "npz/npz_reader.hpp"
#include "npz/npz_writer.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPooled = "features";
constexpr const char* kLogits = "logits";
constexpr const char* kRecord = "record_sha256";

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  return entries;
}

void add_rows(NpzWriter& writer, const char* name, const at::Tensor& rows) {
  const at::Tensor plain = rows.contiguous();
  writer.add(name, {ArrayType::fp32, plain.sizes().vec()}, bytes_of(plain));
}

/// fp32 [images, columns]; `columns` 0: any number.
at::Tensor read_rows(const NpzReader& reader, const char* name, std::int64_t images,
                     std::int64_t columns) {
  const ArrayInfo info = reader.info(name);
  const bool fits = info.type == ArrayType::fp32 && info.shape.size() == 2 &&
                    info.shape[0] == images && (columns == 0 || info.shape[1] == columns);
  if (!fits) throw DataError(cat(reader.path().string(), ": ", name, " is ", describe(info)));
  const at::Tensor rows = at::empty(info.shape, at::kFloat);
  reader.read(name, bytes_to_fill(rows));
  return rows;
}

}  // namespace

void begin_kept_features(const fs::path& folder, const std::string& record) {
  fs::create_directories(folder);
  const fs::path file = folder / "features.json";
  const bool is_begun = fs::exists(file);
  if (is_begun && read_file(file) != record) {
    log::info("the features in ", folder.string(),
              " are of other images, or were computed otherwise. They are discarded.");
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  const std::vector<fs::path> entries = entries_of(folder);
  if (!is_begun && !std::ranges::all_of(entries, is_temporary_name)) {
    throw ConfigError(cat(folder.string(),
                          " holds other files, but features are to be kept there while they are "
                          "computed. Move it away, or choose another --output."));
  }
  for (const fs::path& entry : entries) {
    if (is_temporary_name(entry)) fs::remove(entry);  // of writers that were killed
  }
  write_file_atomically(file, record);
}

std::string features_record(const FeatureOrigin& origin, std::int64_t tile,
                            const std::string& device, const ImageSource& source) {
  const nlohmann::ordered_json json = {
      {"format_version", 1},
      {"images", source.state()},
      {"count", source.count()},
      {"network",
       {{"name", origin.network}, {"sha256", origin.sha256}, {"convention", origin.convention}}},
      {"tile", tile},
      {"device", device},
      {"made_by", {{"effuse", version()}, {"revision", revision()}, {"libtorch", TORCH_VERSION}}}};
  return json.dump(2) + "\n";
}

KeptFeatures::KeptFeatures(fs::path folder, const std::string& record)
    : folder_(std::move(folder)), record_sha256_(sha256_of(record)) {}

fs::path KeptFeatures::file(std::int64_t tile) const {
  return folder_ / (zero_padded(tile, 8) + ".npz");
}

std::optional<Features> KeptFeatures::read(std::int64_t tile, const FeatureShape& shape) const {
  const NpzReader reader(file(tile));
  // Of a job that another node saw end, or begin anew, before this one.
  if (reader.read_text(kRecord) != record_sha256_) {
    throw DataError(cat(reader.path().string(), " is of other images or another network"));
  }
  Features features{read_rows(reader, kPooled, shape.images, shape.dimensions), {}};
  if (shape.logits == FeatureShape::Logits::none) return features;
  if (!reader.has(kLogits)) return std::nullopt;
  features.logits = read_rows(reader, kLogits, shape.images, 0);
  return features;
}

std::optional<Features> KeptFeatures::find(std::int64_t tile, const FeatureShape& shape) const {
  if (!fs::exists(file(tile))) return std::nullopt;
  try {
    return read(tile, shape);
  } catch (const std::exception& error) {
    log::local_warning(error.what(), ". The features of this tile are computed again.");
    return std::nullopt;
  }
}

bool KeptFeatures::has(std::int64_t tile, const FeatureShape& shape) const {
  return find(tile, shape).has_value();
}

void KeptFeatures::write(std::int64_t tile, const Features& features) const {
  NpzWriter writer(file(tile));
  add_rows(writer, kPooled, features.pooled);
  if (features.logits.defined()) add_rows(writer, kLogits, features.logits);
  writer.add_text(kRecord, record_sha256_);
  writer.commit(Flush::no);
}

void KeptFeatures::keep(std::int64_t tile, const Features& features) {
  finish();
  if (!keeps_) return;
  last_ = std::async(std::launch::async, [this, tile, features] {
    try {
      write(tile, features);
      return true;
    } catch (const std::exception& error) {
      log::local_warning("features are not kept from here on (", error.what(),
                         "). A job that is stopped or killed will compute them again.");
      return false;
    }
  });
}

void KeptFeatures::finish() {
  if (last_.valid()) keeps_ = last_.get();
}

}  // namespace effuse
