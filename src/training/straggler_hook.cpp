#include "training/straggler_hook.hpp"

#include <algorithm>

#include "core/host_name.hpp"
#include "core/log.hpp"
#include "data/share.hpp"

namespace effuse {

StragglerHook::StragglerHook(Communicator& comm, const ParallelConfig& config,
                             std::int64_t batch_size, metrics::Registry& registry)
    : comm_(comm),
      every_steps_(config.straggler_every_steps),
      images_(share_of(batch_size, comm.rank(), comm.world_size()).count),
      watch_(config.straggler_ratio) {
  if (comm.rank() != 0) return;
  gauges_.emplace(Gauges{{}, registry.gauge(metrics::series("effuse_train_slowest_rank"))});
  for (int rank = 0; rank < comm.world_size(); ++rank) {
    // Not "rank": that is which rank exports, by the label of the scrape target.
    gauges_->speed.push_back(registry.gauge(metrics::series("effuse_train_rank_speed_ratio"),
                                            {{"of_rank", std::to_string(rank)}}));
    gauges_->speed.back().set(1.0);
  }
}

void StragglerHook::before_training(std::int64_t) { hosts_ = comm_.all_gather_text(host_name()); }

void StragglerHook::after_step(const StepReport& report) {
  timeline_.add(report);
  if (report.step % every_steps_ != 0) return;
  const auto texts = comm_.all_gather_text(to_text(rank_times(timeline_, images_)));
  timeline_ = {};
  if (gauges_) judge(texts);
}

void StragglerHook::judge(const std::vector<std::string>& texts) {
  std::vector<RankTimes> ranks;
  for (const std::string& text : texts) ranks.push_back(rank_times_from(text));
  const std::vector<RankScore> scores = score_ranks(ranks);
  for (std::size_t k = 0; k < scores.size(); ++k) gauges_->speed[k].set(scores[k].speed);
  const auto slowest = std::ranges::min_element(scores, {}, &RankScore::speed);
  gauges_->slowest.set(static_cast<double>(slowest - scores.begin()));
  const auto changes = watch_.update(scores);
  for (const int rank : changes.slow) {
    log::warning(name_of(rank), " is slow: ", scores[static_cast<std::size_t>(rank)].reason(),
                 " (the others wait for it in every step)");
  }
  for (const int rank : changes.recovered) log::info(name_of(rank), " is no longer slow");
}

std::string StragglerHook::name_of(int rank) const {
  return cat("rank ", rank, " on ", hosts_[static_cast<std::size_t>(rank)]);
}

}  // namespace effuse
