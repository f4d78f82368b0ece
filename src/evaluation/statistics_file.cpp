#include "evaluation/statistics_file.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "checkpoint/tensor_bytes.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/statistics_check.hpp"
#include "npz/npz_reader.hpp"
#include "npz/npz_writer.hpp"

namespace effuse {
namespace {

/// An array of floats as float64.
at::Tensor read_floats(const NpzReader& reader, const std::string& name) {
  const ArrayInfo info = reader.info(name);
  if (info.type != ArrayType::fp32 && info.type != ArrayType::fp64) {
    throw DataError(cat(reader.path().string(), ": ", name, " is ", describe(info),
                        ", but statistics are floats"));
  }
  const at::Tensor values =
      at::empty(info.shape, info.type == ArrayType::fp32 ? at::kFloat : at::kDouble);
  reader.read(name, bytes_to_fill(values));
  require_finite(values, reader.path(), name);
  return values.to(at::kDouble);
}

at::ScalarType count_type(ArrayType type) {
  switch (type) {
    case ArrayType::uint8:
      return at::kByte;
    case ArrayType::int32:
      return at::kInt;
    case ArrayType::int64:
      return at::kLong;
    case ArrayType::fp64:
      return at::kDouble;
    default:
      return at::ScalarType::Undefined;
  }
}

/// A number of images: an integer, or a float64 that is one.
std::int64_t read_count(const NpzReader& reader) {
  const ArrayInfo info = reader.info("count");
  const auto refuse = [&](const std::string& what) {
    throw DataError(cat(reader.path().string(), ": count is ", what,
                        ", but it is how many images there were. ", kRemake));
  };
  const at::ScalarType type = count_type(info.type);
  if (type == at::ScalarType::Undefined || info.count() != 1) refuse(describe(info));
  const at::Tensor count = at::empty({}, type);
  reader.read("count", bytes_to_fill(count));
  const auto value = count.item<double>();
  constexpr double kLargest = 9007199254740992.0;  // beyond, float64 has not every integer
  if (!(value >= 1 && value <= kLargest) || value != std::floor(value)) refuse(cat(value));
  return count.item<std::int64_t>();
}

Gaussian read_gaussian(const NpzReader& reader) {
  const Gaussian gaussian{read_floats(reader, "mu"), read_floats(reader, "sigma"), 0};
  const bool fit = gaussian.mean.dim() == 1 && gaussian.mean.size(0) > 0 &&
                   gaussian.covariance.dim() == 2 &&
                   gaussian.covariance.size(0) == gaussian.mean.size(0) &&
                   gaussian.covariance.size(1) == gaussian.mean.size(0);
  if (fit) {
    require_symmetric(gaussian.covariance, reader.path());
    return gaussian;
  }
  throw DataError(cat(reader.path().string(), ": mu is ", describe(reader.info("mu")),
                      " and sigma ", describe(reader.info("sigma")),
                      ", but a mean is [D] and its covariance [D, D]"));
}

std::optional<Moments> read_moments(const NpzReader& reader, const Gaussian& gaussian) {
  if (!reader.has("count") || !reader.has("sum") || !reader.has("outer_sum")) return std::nullopt;
  Moments moments(read_count(reader), read_floats(reader, "sum"), read_floats(reader, "outer_sum"));
  if (moments.sum().sizes() != gaussian.mean.sizes() ||
      moments.outer_sum().sizes() != gaussian.covariance.sizes()) {
    throw DataError(cat(reader.path().string(), ": sum is ", describe(reader.info("sum")),
                        " and outer_sum ", describe(reader.info("outer_sum")), ", but mu is ",
                        describe(reader.info("mu")), ". ", kRemake));
  }
  require_agreement(gaussian, moments, reader.path());
  return moments;
}

void add(NpzWriter& writer, const std::string& name, const at::Tensor& values) {
  const at::Tensor plain = values.contiguous();
  const ArrayType type = plain.scalar_type() == at::kLong ? ArrayType::int64 : ArrayType::fp64;
  writer.add(name, {type, plain.sizes().vec()}, bytes_of(plain));
}

}  // namespace

bool holds_statistics(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file) || file.extension() != ".npz") return false;
  const NpzReader reader(file);
  return reader.has("mu") && reader.has("sigma");
}

Statistics read_statistics(const std::filesystem::path& file) {
  const NpzReader reader(file);
  Statistics statistics;
  statistics.gaussian = read_gaussian(reader);
  statistics.moments = read_moments(reader, statistics.gaussian);
  if (statistics.moments) statistics.gaussian.count = statistics.moments->count();
  if (reader.has("network_sha256")) {
    statistics.origin = {reader.read_text("network"), reader.read_text("network_sha256"),
                         reader.read_text("convention")};
  }
  if (reader.has("images")) statistics.images = reader.read_text("images");
  return statistics;
}

void write_statistics(const std::filesystem::path& file, const Moments& moments,
                      const FeatureOrigin& origin, const std::string& images) {
  const Gaussian gaussian = moments.gaussian();
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  NpzWriter writer(file);
  add(writer, "mu", gaussian.mean);
  add(writer, "sigma", gaussian.covariance);
  add(writer, "count", at::scalar_tensor(moments.count(), at::kLong));
  add(writer, "sum", moments.sum());
  add(writer, "outer_sum", moments.outer_sum());
  writer.add_text("network", origin.network);
  writer.add_text("network_sha256", origin.sha256);
  writer.add_text("convention", origin.convention);
  writer.add_text("images", images);
  writer.commit();
}

void require_same_features(const Statistics& statistics, const std::filesystem::path& file,
                           const FeatureOrigin& origin, std::int64_t dimensions) {
  if (statistics.origin && !(*statistics.origin == origin)) {
    throw DataError(cat(file.string(), " holds statistics of another network (",
                        describe(*statistics.origin), ") than this evaluation's (",
                        describe(origin),
                        "). Make them anew with "
                        "--save-statistics."));
  }
  if (statistics.gaussian.dimensions() == dimensions) return;
  throw DataError(cat(file.string(), " holds statistics of ", statistics.gaussian.dimensions(),
                      " features, but the network has ", dimensions,
                      ": they are of another network"));
}

}  // namespace effuse
