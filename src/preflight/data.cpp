#include "preflight/data.hpp"

#include <ATen/ATen.h>
#include <sys/resource.h>

#include <algorithm>

#include "core/stop.hpp"
#include "core/text.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

/// Between two looks at the other ranks: far below any deadline.
constexpr double kRoundS = 2.0;

/// Files that training has open besides shards: libraries, logs, connections to other ranks.
constexpr std::int64_t kOtherFiles = 128;

std::int64_t files_allowed() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT64_MAX) return INT64_MAX;
  return static_cast<std::int64_t>(limit.rlim_cur);
}

/// How far the ranks are together.
struct Round {
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
  bool all_done = true;
  bool any_stops = false;
};

Round look_around(Communicator& comm, const ShardShare* share, bool is_done) {
  const std::array<std::int64_t, 4> own{
      share == nullptr ? 0 : static_cast<std::int64_t>(share->done_bytes()),
      share == nullptr ? 0 : static_cast<std::int64_t>(share->total_bytes()), is_done ? 0 : 1,
      stop_signal() != 0 ? 1 : 0};
  const at::Tensor sums = at::zeros({4}, at::kLong);
  std::copy(own.begin(), own.end(), sums.mutable_data_ptr<std::int64_t>());
  comm.all_reduce(sums);
  const auto* all = sums.const_data_ptr<std::int64_t>();
  return {static_cast<std::uint64_t>(all[0]), static_cast<std::uint64_t>(all[1]), all[2] == 0,
          all[3] != 0};
}

/// Collective. `share` is null at ranks that cannot read the data set.
void read_in_rounds(Communicator& comm, ShardShare* share, ProgressStyle style) {
  Round round = look_around(comm, share, share == nullptr);
  Progress progress(
      {.task = "data", .unit = "MiB", .total = round.total_bytes >> 20, .style = style});
  while (!round.all_done && !round.any_stops) {
    const bool is_done = share == nullptr || share->work(kRoundS);
    round = look_around(comm, share, is_done);
    if (!round.all_done) progress.update(round.done_bytes >> 20);
  }
}

void find_other_data(Finding& finding, const Places& places, const std::vector<DataFacts>& facts) {
  const auto readable = [](const DataFacts& f) { return f.error.empty(); };
  const auto first = std::find_if(facts.begin(), facts.end(), readable);
  std::vector<Complaint> complaints;
  for (auto own = first; own != facts.end(); ++own) {
    if (!readable(*own) || own->fingerprint == first->fingerprint) continue;
    complaints.push_back(
        {static_cast<int>(own - facts.begin()),
         cat("the data set is not that of rank ", first - facts.begin(),
             " (the ranks would train on different images). Give all nodes the same copy; "
             "effuse-inspect prints a data set's fingerprint.")});
  }
  finding.add(problems_from(places, complaints));
}

void find_damage(Finding& finding, const Places& places, const std::vector<DataFacts>& facts) {
  std::vector<Complaint> complaints;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    const ShareResult& share = facts[rank].share;
    for (const std::string& problem : share.problems) {
      complaints.push_back({static_cast<int>(rank), problem});
    }
    if (share.more_problems > 0) {
      complaints.push_back({static_cast<int>(rank), cat(share.more_problems, " more shards")});
    }
  }
  finding.add(problems_from(places, complaints));
}

void find_few_files(Finding& finding, const Places& places, const std::vector<DataFacts>& facts) {
  std::vector<Complaint> complaints;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    const DataFacts& own = facts[rank];
    if (own.shards + kOtherFiles <= own.files_allowed) continue;
    complaints.push_back(
        {static_cast<int>(rank),
         cat("a process may have ", own.files_allowed, " files open, and training opens ",
             own.shards, " shards beside others (opening would fail). Raise ulimit -n, or pack ",
             "with a larger --shard-size-mib.")});
  }
  finding.add(problems_from(places, complaints));
}

std::string summary(const std::vector<DataFacts>& facts) {
  std::int64_t images = 0, shards = 0, read = 0;
  double rate = 0;
  for (const DataFacts& f : facts) {
    images = std::max(images, f.images);
    shards = std::max(shards, f.shards);
    read += f.share.images;
    if (f.share.seconds > 0) rate += static_cast<double>(f.share.bytes) / f.share.seconds;
  }
  if (shards == 0) return "no rank can read the data set";
  const auto count = [](std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); };
  return cat(count(read), " of ", count(images), " images read, in ", count(shards),
             shards == 1 ? " shard" : " shards", ", at ", fixed(rate / (1 << 20), 0),
             facts.size() == 1 ? " MiB/s" : " MiB/s together");
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ShareResult, images, bytes, seconds, problems, more_problems)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DataFacts, error, fingerprint, images, shards, files_allowed,
                                   share)

Finding judge_data(const Places& places, const std::vector<DataFacts>& facts) {
  Finding finding{.check = "data", .result = summary(facts)};
  finding.add(problems_from(places, errors_of(facts)));
  find_other_data(finding, places, facts);
  find_damage(finding, places, facts);
  find_few_files(finding, places, facts);
  return finding;
}

Finding check_data(Communicator& comm, const Places& places, const std::string& folder,
                   ProgressStyle progress) {
  DataFacts own;
  std::optional<ShardShare> share;
  own.files_allowed = files_allowed();
  own.error = error_of([&] {
    Manifest manifest = load_whole_manifest(folder);
    own.fingerprint = manifest.fingerprint();
    own.images = manifest.image_count();
    own.shards = static_cast<std::int64_t>(manifest.shards.size());
    const Place& place = places[static_cast<std::size_t>(comm.rank())];
    share.emplace(folder, std::move(manifest), comm.rank(), comm.world_size(),
                  place.local_rank == 0 ? Opening::all : Opening::own_share);
  });
  read_in_rounds(comm, share ? &*share : nullptr, progress);
  if (share) own.share = share->result();
  return judge_data(places, gather(comm, own));
}

Finding data_left_out() {
  return {.check = "data",
          .result = "data.folder is not set; --data FOLDER has the shards read",
          .is_left_out = true};
}

}  // namespace effuse
