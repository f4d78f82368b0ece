#include "evaluation/pixel_scores.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "comm/agreement.hpp"
#include "comm/stop_agreement.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/mean_deviation.hpp"
#include "evaluation/pixel_metrics.hpp"
#include "evaluation/rank_share.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// Columns of the table of scores, a row a pair.
enum Column : std::int64_t { kPsnr, kPsnrLuma, kSsim, kSsimLuma, kColumns };

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

std::optional<Json> score_pixels(const ScorePlan& plan, const ImageSource& images,
                                 const ImageSource& reference, std::int64_t tile,
                                 ProgressStyle style, Communicator& comm, at::Device device) {
  agree(comm, [&] { require_pairs(images, reference); });
  const std::int64_t count = images.count();
  const IndexRange range = range_of_rank(count, tile, comm.rank(), comm.world_size());
  std::vector<at::Tensor> tables{at::empty({0, kColumns}, at::kDouble)};
  Progress progress({.task = "pairs",
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(count),
                     .style = style});
  const std::int64_t rounds = most_tiles_of_a_rank(count, tile, comm.world_size());
  for (std::int64_t k = 0; k < rounds; ++k) {
    if (any_rank_stops(comm, device)) return std::nullopt;
    agree(comm, [&] {
      const std::int64_t first = range.first + k * tile;
      const std::int64_t wanted = std::min(tile, range.end - first);
      if (wanted <= 0) return;
      const int channels = reference.image(0).channels;
      tables.push_back(score_tile(plan, read_images(images, first, wanted, wanted, channels),
                                  read_images(reference, first, wanted, wanted, channels)));
    });
    progress.update(
        static_cast<std::uint64_t>(std::min((k + 1) * tile * comm.world_size(), count)));
  }
  progress.finish();
  const at::Tensor table = SharedRows{at::cat(tables), count, tile}.gather(comm, device);
  Json scores = Json::object();
  if (plan.psnr) scores["psnr"] = psnr_of(table);
  if (plan.ssim) scores["ssim"] = ssim_of(table);
  return scores;
}

}  // namespace effuse
