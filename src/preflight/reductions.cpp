#include "preflight/reductions.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <sstream>

#include "core/text.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

constexpr std::uint64_t kSmallestBytes = 1024;
/// Small ones are repeated until they are this much together, or as often as the second says.
constexpr std::uint64_t kBytesTimed = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostRepeats = 20;
constexpr std::uint64_t kFewestRepeats = 2;

at::Tensor pattern(std::int64_t count, at::Device device) {
  constexpr std::int64_t kPeriod = 13;
  const at::Tensor period = at::arange(kPeriod, at::TensorOptions(at::kFloat).device(device));
  return period.repeat({count / kPeriod + 1}).narrow(0, 0, count).contiguous();
}

/// What rank k adds to the pattern: small whole numbers, whose sums float32 holds exactly.
int share_of_rank(int k) { return k % 64 + 1; }

bool sums_are_right(Communicator& comm, std::int64_t count, at::Device device) {
  at::Tensor sum = pattern(count, device).add_(share_of_rank(comm.rank()));
  comm.all_reduce(sum);
  int shares = 0;
  for (int k = 0; k < comm.world_size(); ++k) shares += share_of_rank(k);
  return at::equal(sum.sub_(shares), pattern(count, device).mul_(comm.world_size()));
}

/// Seconds of one all-reduce, of several that follow on each other as those of training do.
double time_of_one(Communicator& comm, std::int64_t count, std::uint64_t repeats,
                   at::Device device) {
  const at::Tensor zeros = at::zeros({count}, at::TensorOptions(at::kFloat).device(device));
  zeros[0].item<float>();  // the GPU has come so far
  comm.barrier();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Work>> works;
  for (std::uint64_t k = 0; k < repeats; ++k) works.push_back(comm.all_reduce_async(zeros));
  for (const auto& work : works) work->wait();
  zeros[0].item<float>();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return seconds.count() / static_cast<double>(repeats);
}

void try_sizes(ReductionFacts& facts, Communicator& comm, at::Device device,
               std::uint64_t largest_bytes) {
  facts.backend = comm.backend();
  for (const std::uint64_t size : reduction_sizes(largest_bytes)) {
    const auto count = static_cast<std::int64_t>(size / sizeof(float));
    const bool right = sums_are_right(comm, count, device);  // and a first one, to warm up
    const std::uint64_t repeats = std::clamp(kBytesTimed / size, kFewestRepeats, kMostRepeats);
    facts.sizes.push_back({size, time_of_one(comm, count, repeats, device), right});
  }
}

std::string size_name(std::uint64_t size_bytes) {
  return size_bytes < (1 << 20) ? cat(size_bytes >> 10, " KiB") : cat(size_bytes >> 20, " MiB");
}

/// Mean seconds over the ranks.
double seconds_of(const std::vector<ReductionFacts>& facts, std::size_t size) {
  double sum = 0;
  for (const ReductionFacts& f : facts) sum += f.sizes[size].seconds;
  return sum / static_cast<double>(facts.size());
}

void add_line(Finding& finding, std::uint64_t size_bytes, double seconds, std::size_t ranks) {
  std::ostringstream line;
  const double algorithm = static_cast<double>(size_bytes) / seconds;
  line << std::setw(8) << size_name(size_bytes) << std::fixed << std::setprecision(3)
       << std::setw(12) << 1e3 * seconds << " ms" << std::setw(12) << 1e-9 * algorithm << " GB/s"
       << std::setw(12) << 1e-9 * bus_bandwidth(size_bytes, seconds, ranks) << " GB/s";
  finding.details.push_back(line.str());
}

void find_wrong_sums(Finding& finding, const Places& places,
                     const std::vector<ReductionFacts>& facts) {
  std::vector<Complaint> complaints;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    for (const SizeFacts& size : facts[rank].sizes) {
      if (size.is_right) continue;
      complaints.push_back(
          {static_cast<int>(rank),
           cat("an all-reduce of ", size_name(size.size_bytes),
               " gave wrong sums (gradients would "
               "be wrong without a word). Leave the host out (--exclude) and have its memory and "
               "network looked at.")});
      break;
    }
  }
  finding.add(problems_from(places, complaints));
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SizeFacts, size_bytes, seconds, is_right)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ReductionFacts, error, backend, sizes)

std::vector<std::uint64_t> reduction_sizes(std::uint64_t largest_bytes) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = kSmallestBytes; size <= std::max(largest_bytes, kSmallestBytes);
       size *= 4) {
    sizes.push_back(size);
  }
  return sizes;
}

double bus_bandwidth(std::uint64_t size_bytes, double seconds, std::size_t ranks) {
  const auto n = static_cast<double>(ranks);
  return static_cast<double>(size_bytes) / seconds * 2.0 * (n - 1.0) / n;
}

Finding judge_reductions(const Places& places, const std::vector<ReductionFacts>& facts) {
  Finding finding{.check = "all-reduce"};
  finding.add(problems_from(places, errors_of(facts)));
  find_wrong_sums(finding, places, facts);
  std::size_t sizes = facts.front().sizes.size();
  for (const ReductionFacts& f : facts) sizes = std::min(sizes, f.sizes.size());
  if (sizes == 0) {
    finding.result = "none was completed";
    return finding;
  }
  finding.details.push_back(cat(std::string(4, ' '), "size", std::string(11, ' '), "time",
                                std::string(8, ' '), "algorithm", std::string(14, ' '), "bus"));
  double best = 0;
  for (std::size_t k = 0; k < sizes; ++k) {
    const std::uint64_t size_bytes = facts.front().sizes[k].size_bytes;
    add_line(finding, size_bytes, seconds_of(facts, k), places.size());
    best = std::max(best, bus_bandwidth(size_bytes, seconds_of(facts, k), places.size()));
  }
  finding.result = cat("over ", facts.front().backend, ", up to ", fixed(1e-9 * best, 2),
                       " GB/s of bus bandwidth");
  return finding;
}

Finding check_reductions(Communicator& host, const Places& places,
                         const std::function<std::unique_ptr<Communicator>()>& open,
                         at::Device device, std::uint64_t largest_bytes) {
  ReductionFacts own;
  std::exception_ptr broken;
  own.error = error_of([&] {
    try {
      try_sizes(own, *open(), device, largest_bytes);
    } catch (const CommError&) {
      if (device.is_cpu()) broken = std::current_exception();
      throw;
    }
  });
  if (broken) std::rethrow_exception(broken);
  return judge_reductions(places, gather(host, own));
}

}  // namespace effuse
