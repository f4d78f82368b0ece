#include "evaluation/side.hpp"

#include <utility>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "evaluation/statistics_cache.hpp"

namespace effuse {
namespace {

Side known_side(Statistics statistics) {
  return {std::move(statistics.moments),
          std::move(statistics.gaussian),
          std::move(statistics.origin),
          {},
          {}};
}

/// The statistics of the files themselves, where they have some.
std::optional<Side> ready_made(const EvaluationInput& input, const SideTask& task) {
  if (input.statistics.empty()) return std::nullopt;
  Statistics merged = merge_statistics(input);
  if (task.network != nullptr) {
    require_same_features(merged, input.paths.front(), task.network->origin(),
                          task.network->dimensions());
    if (!merged.origin) {
      log::warning(input.text(),
                   " does not say which network its statistics are of; taken to be "
                   "of this one");
    }
  }
  if (task.pass.keep == Keep::features) require_images_for_features(input);
  return known_side(std::move(merged));
}

std::optional<StatisticsCache> cache_of(const EvaluationInput& input, const SideTask& task) {
  if (task.cache == SideTask::Cache::none || input.dataset().empty() || !input.images) {
    return std::nullopt;
  }
  return StatisticsCache(input.dataset(), task.network->origin(), input.images->fingerprint());
}

/// Rank 0 alone reads the cache; whether it did decides what all ranks do next.
std::optional<Moments> cached(const std::optional<StatisticsCache>& cache, Communicator& comm,
                              at::Device device) {
  if (!cache) return std::nullopt;
  std::optional<Moments> found;
  agree(comm, [&] {
    if (comm.rank() == 0) found = cache->find();
  });
  const std::string dimensions = comm.broadcast_text(found ? cat(found->dimensions()) : "");
  if (dimensions.empty()) return std::nullopt;
  Moments moments = found ? std::move(*found) : Moments(std::stoll(dimensions));
  moments.reduce(comm, device);  // those of the other ranks are 0
  if (comm.rank() == 0)
    log::info("statistics of the reference taken from ", cache->file().string());
  return moments;
}

/// Collective. What is kept from a job before is looked for by rank 0, which then says to all
/// what the features depend on.
KeptFeatures open_kept(const EvaluationInput& input, const SideTask& task, Communicator& comm,
                       at::Device device) {
  std::string record;
  agree(comm, [&] {
    if (comm.rank() != 0) return;
    record =
        features_record(task.network->origin(), task.pass.tile,
                        c10::DeviceTypeName(device.type(), /*lower_case=*/true), *input.images);
    begin_kept_features(task.work_folder, record);
  });
  return {task.work_folder, comm.broadcast_text(record)};
}

std::optional<Side> computed(const EvaluationInput& input, const SideTask& task, Communicator& comm,
                             at::Device device) {
  PassSettings pass = task.pass;
  std::optional<KeptFeatures> kept;
  if (!task.work_folder.empty()) kept.emplace(open_kept(input, task, comm, device));
  if (kept) pass.kept = &*kept;
  auto set = compute_features(*task.network, *input.images, pass, comm, device);
  if (!set) return std::nullopt;
  return agree_value(comm, [&] { return side_of(std::move(*set), *task.network); });
}

}  // namespace

Side side_of(FeatureSet features, const FeatureNetwork& network) {
  Gaussian gaussian = features.moments.gaussian();
  return {std::move(features.moments), std::move(gaussian), network.origin(),
          std::move(features.pooled), std::move(features.logits)};
}

SideTask reference_task(const EvaluationConfig& config, const ScorePlan& plan,
                        const FeatureNetwork* network, int threads, ProgressStyle progress) {
  const auto workers = static_cast<int>(config.workers);
  return {.network = network,
          .pass = {.task = "reference",
                   .tile = config.tile,
                   .workers = workers > 0 ? workers : threads,
                   .keep = plan.needs_features_of_reference() ? Keep::features : Keep::moments,
                   .progress = progress},
          .cache = config.cache ? SideTask::Cache::use : SideTask::Cache::none};
}

std::optional<Side> measure_side(const EvaluationInput& input, const SideTask& task,
                                 Communicator& comm, at::Device device) {
  auto ready = agree_value(comm, [&] { return ready_made(input, task); });
  const bool wants_features = task.pass.keep == Keep::features;
  if (ready && !wants_features) return ready;
  const auto cache = cache_of(input, task);
  if (!wants_features) {
    if (auto moments = cached(cache, comm, device)) {
      Gaussian gaussian = moments->gaussian();
      return Side{std::move(moments), std::move(gaussian), task.network->origin(), {}, {}};
    }
  }
  auto side = computed(input, task, comm, device);
  if (!side) return std::nullopt;
  if (cache && comm.rank() == 0 && !cache->find()) cache->keep(*side->moments);
  if (ready) {
    side->gaussian = ready->gaussian;
    side->moments = ready->moments;
  }
  return side;
}

void require_same_network(const Side& images, const Side& reference) {
  if (!images.origin || !reference.origin || *images.origin == *reference.origin) return;
  throw DataError(cat("the statistics of images and reference are of different networks: ",
                      describe(*images.origin), " and ", describe(*reference.origin),
                      ". Make both with the same --weights and --convention."));
}

}  // namespace effuse
