#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "evaluation/image_source.hpp"
#include "evaluation/score_plan.hpp"

namespace effuse {

/// Throws DataError where the sets do not pair: other counts or (of folders) names.
void require_pairs(const ImageSource& images, const ImageSource& reference);

/// Collective. {"psnr": {"value": …, "luma": …, …}, "ssim": {"value": …, "deviation": …, "luma":
/// …, …}} of the pairs of images of equal number: "value" over all channels, "luma" of Y as
/// super-resolution is scored. PSNR is that of pairs that differ.
/// Pairs are shared among the ranks. Empty where a rank was asked to stop. For sets that
/// require_pairs() takes; throws AgreedError where their sizes differ.
std::optional<nlohmann::ordered_json> score_pixels(const ScorePlan& plan, const ImageSource& images,
                                                   const ImageSource& reference, std::int64_t tile,
                                                   ProgressStyle progress, Communicator& comm,
                                                   at::Device device);

}  // namespace effuse
