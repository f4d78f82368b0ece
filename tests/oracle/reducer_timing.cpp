#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "oracle/two_engines.hpp"
#include "training/stopwatch.hpp"

/// mpirun -n 2 reducer_timing [--time N]: N passes of GradientBuckets and of c10d::Reducer in turn,
/// over the same Communicator, forward pass included. Prints the medians and their ratio.
namespace effuse {
namespace {

constexpr std::int64_t kBucketBytes = 256 << 10;
constexpr int kWarmUps = 5;

ModelConfig timed_network() {
  ModelConfig config;
  config.sample_size = 16;
  config.in_channels = 3;
  config.num_class_embeds = 4;
  config.block_out_channels = {32, 64, 64};
  config.down_block_types = {"DownBlock2D", "AttnDownBlock2D", "DownBlock2D"};
  config.up_block_types = {"UpBlock2D", "AttnUpBlock2D", "UpBlock2D"};
  return config;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void time_both(Communicator& comm, int rounds) {
  TwoEngines engines(timed_network(), comm, kBucketBytes);
  at::manual_seed(static_cast<std::uint64_t>(comm.rank()));
  const at::Tensor x = at::randn({4, 3, 16, 16});
  std::vector<double> ours_s, peers_s;
  for (int i = 0; i < kWarmUps + rounds; ++i) {
    Stopwatch watch;
    comm.barrier();
    watch.lap_s();
    engines.run_ours(x);
    ours_s.push_back(watch.lap_s());
    comm.barrier();
    watch.lap_s();
    engines.run_peers(x);
    peers_s.push_back(watch.lap_s());
    if (i < kWarmUps) ours_s.clear(), peers_s.clear();
  }
  if (comm.rank() != 0) return;
  std::cout << cat("GradientBuckets ", fixed(1e3 * median(ours_s), 2), " ms, c10d::Reducer ",
                   fixed(1e3 * median(peers_s), 2), " ms, ratio ",
                   fixed(median(peers_s) / median(ours_s), 3), " (medians of ", rounds, ", ",
                   comm.world_size(), " ranks, ", engines.our_reductions(), " reductions)\n");
}

}  // namespace
}  // namespace effuse

int main(int argc, char** argv) {
  const bool given = argc == 3 && std::string_view(argv[1]) == "--time";
  const int rounds = given ? std::max(1, std::atoi(argv[2])) : 50;
  at::set_num_threads(1);
  try {
    auto session = effuse::Session::open();
    {
      const auto comm = effuse::make_communicator(session, "auto", at::kCPU, {});
      effuse::time_both(*comm, rounds);
    }
    session.finish();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
