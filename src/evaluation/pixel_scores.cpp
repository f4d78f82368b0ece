#include "evaluation/pixel_scores.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/batch_reader.hpp"
#include "evaluation/mean_deviation.hpp"
#include "evaluation/pixel_metrics.hpp"
#include "evaluation/shared_rows.hpp"
#include "evaluation/tile_rounds.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// Columns of the table of scores, a row a pair.
enum Column : std::int64_t { kPsnr, kPsnrLuma, kSsim, kSsimLuma, kColumns };

at::Tensor score_tile(const ScorePlan& plan, const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor table = at::zeros({a.size(0), kColumns}, at::kDouble);
  const auto set = [&](Column column, const std::vector<double>& values) {
    table.select(1, column).copy_(at::tensor(values, at::kDouble));
  };
  if (plan.psnr) {
    set(kPsnr, psnr_db(a, b, PixelSpace::channels));
    set(kPsnrLuma, psnr_db(a, b, PixelSpace::luma));
  }
  if (plan.ssim) {
    set(kSsim, ssim(a, b, PixelSpace::channels));
    set(kSsimLuma, ssim(a, b, PixelSpace::luma));
  }
  return table;
}

std::vector<double> column_of(const at::Tensor& table, Column column) {
  const at::Tensor values = table.select(1, column).contiguous();
  const auto* begin = values.const_data_ptr<double>();
  return {begin, begin + values.numel()};
}

Json psnr_of(const at::Tensor& table) {
  const PsnrMean all = mean_psnr(column_of(table, kPsnr));
  const PsnrMean luma = mean_psnr(column_of(table, kPsnrLuma));
  return {{"value", all.mean_db},
          {"luma", luma.mean_db},
          {"equal_pairs", all.equal_pairs},
          {"unit", "dB"},
          {"peak", 255}};
}

Json ssim_of(const at::Tensor& table) {
  const MeanDeviation all = mean_deviation(column_of(table, kSsim));
  const MeanDeviation luma = mean_deviation(column_of(table, kSsimLuma));
  return {{"value", all.mean},
          {"deviation", all.deviation},
          {"luma", luma.mean},
          {"window", "gaussian 11x11, deviation 1.5"}};
}

}  // namespace

void require_pairs(const ImageSource& images, const ImageSource& reference) {
  if (images.count() != reference.count()) {
    throw DataError(cat(images.count(), " images and ", reference.count(),
                        " reference images do not pair: psnr and ssim compare each with its own"));
  }
  if (!images.is_named() || !reference.is_named()) return;
  for (std::int64_t i = 0; i < images.count(); ++i) {
    if (images.name(i) == reference.name(i)) continue;
    throw DataError(cat("image ", images.name(i), " would be compared with ", reference.name(i),
                        ": the files of both folders have to have the same names"));
  }
}

std::optional<Json> score_pixels(const ScorePlan& plan, const ImageSource& images,
                                 const ImageSource& reference, std::int64_t tile,
                                 ProgressStyle style, Communicator& comm, at::Device device) {
  const auto theirs = agree_value(comm, [&] { return BatchReader(reference); });
  const auto ours = agree_value(comm, [&] { return BatchReader(images); });
  std::vector<at::Tensor> tables{at::empty({0, kColumns}, at::kDouble)};
  const std::int64_t count = images.count();
  const TileRounds rounds{count, tile, show_progress("pairs", count, style)};
  const bool finished = go_through_tiles(rounds, comm, device, [&](const IndexRange& pairs) {
    const auto read = [&](const BatchReader& side) {
      return side.read(pairs.first, pairs.count(), pairs.count());
    };
    tables.push_back(score_tile(plan, read(ours), read(theirs)));
  });
  if (!finished) return std::nullopt;
  const at::Tensor table = SharedRows{at::cat(tables), count, tile}.rows({0, count}, comm, device);
  Json scores = Json::object();
  if (plan.psnr) scores["psnr"] = psnr_of(table);
  if (plan.ssim) scores["ssim"] = ssim_of(table);
  return scores;
}

}  // namespace effuse
