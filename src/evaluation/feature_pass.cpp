#include "evaluation/feature_pass.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/ordered_workers.hpp"
#include "core/text.hpp"
#include "evaluation/batch_reader.hpp"
#include "evaluation/rank_share.hpp"
#include "evaluation/rank_sum.hpp"
#include "evaluation/tile_rounds.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kTilesAhead = 4;

int reading_threads(const ImageSource& source, const PassSettings& settings) {
  const int most = source.readers();
  return most > 0 ? std::min(most, settings.workers) : settings.workers;
}

/// One rank's way through its tiles.
class RankPass {
 public:
  RankPass(const FeatureNetwork& network, const ImageSource& source, const PassSettings& settings,
           Communicator& comm, at::Device device)
      : source_(source),
        settings_(settings),
        collector_(network, settings.keep, device),
        shape_{.dimensions = network.dimensions(),
               .logits = collector_.wants_logits() ? FeatureShape::Logits::some
                                                   : FeatureShape::Logits::none},
        batches_(agree_value(comm, [&] { return BatchReader(source); })),
        missing_(agree_value(comm, [&] { return find_missing(comm); })),
        reader_(reading_threads(source, settings), std::ssize(missing_), kTilesAhead,
                [this](std::int64_t k) { return read(missing_[static_cast<std::size_t>(k)]); }) {}

  /// Collective. Says how much is there already.
  void report(Communicator& comm, at::Device device) const;

  /// The tiles in order.
  void take(const IndexRange& tile);

  FeatureCollector& collector() { return collector_; }

 private:
  std::vector<IndexRange> find_missing(const Communicator& comm) const;
  FeatureShape shape_of(const IndexRange& tile) const;
  std::int64_t number_of(const IndexRange& tile) const { return tile.first / settings_.tile; }
  at::Tensor read(const IndexRange& tile) const {
    return batches_.read(tile.first, tile.count(), settings_.tile);
  }
  void take_kept(const IndexRange& tile);

  const ImageSource& source_;
  const PassSettings& settings_;
  FeatureCollector collector_;
  FeatureShape shape_;  ///< but for the number of images
  BatchReader batches_;
  std::vector<IndexRange> missing_;  ///< to be computed, in order
  std::size_t next_ = 0;             ///< of missing_
  OrderedWorkers<at::Tensor> reader_;
};

FeatureShape RankPass::shape_of(const IndexRange& tile) const {
  FeatureShape shape = shape_;
  shape.images = tile.count();
  return shape;
}

std::vector<IndexRange> RankPass::find_missing(const Communicator& comm) const {
  const IndexRange mine =
      range_of_rank(source_.count(), settings_.tile, comm.rank(), comm.world_size());
  std::vector<IndexRange> missing;
  for (std::int64_t first = mine.first; first < mine.end; first += settings_.tile) {
    const IndexRange tile{first, std::min(first + settings_.tile, mine.end)};
    const bool is_kept = settings_.kept && settings_.kept->has(number_of(tile), shape_of(tile));
    if (!is_kept) missing.push_back(tile);
  }
  return missing;
}

void RankPass::report(Communicator& comm, at::Device device) const {
  if (!settings_.kept) return;
  std::int64_t images = 0;
  for (const IndexRange& tile : missing_) images += tile.count();
  images = sum_over_ranks(at::tensor({images}, at::kLong), comm, device).item<std::int64_t>();
  if (images == source_.count()) return;
  log::info("the features of ", source_.count() - images, " of ", source_.count(),
            " images were kept in ", settings_.kept->folder().string(), "; ", images,
            " are to be computed");
}

void RankPass::take_kept(const IndexRange& tile) {
  const auto features = settings_.kept->find(number_of(tile), shape_of(tile));
  if (!features) {
    throw DataError(cat(settings_.kept->folder().string(), " has lost the features of ",
                        source_.place(tile.first),
                        " (were they removed meanwhile?). The same command computes them again."));
  }
  collector_.add(*features);
}

void RankPass::take(const IndexRange& tile) {
  if (next_ == missing_.size() || missing_[next_].first != tile.first) return take_kept(tile);
  ++next_;
  const Features features = collector_.compute(
      reader_.next(), tile.count(), [&](std::int64_t i) { return source_.place(tile.first + i); });
  if (settings_.kept) settings_.kept->keep(number_of(tile), features);
  collector_.add(features);
}

}  // namespace

std::optional<FeatureSet> compute_features(const FeatureNetwork& network, const ImageSource& source,
                                           const PassSettings& settings, Communicator& comm,
                                           at::Device device) {
  RankPass pass(network, source, settings, comm, device);
  pass.report(comm, device);
  const TileRounds rounds{source.count(), settings.tile,
                          show_progress(settings.task, source.count(), settings.progress)};
  const bool finished =
      go_through_tiles(rounds, comm, device, [&](const IndexRange& tile) { pass.take(tile); });
  if (settings.kept) settings.kept->finish();
  if (!finished) return std::nullopt;
  return pass.collector().join(source.count(), settings.tile, comm);
}

}  // namespace effuse
