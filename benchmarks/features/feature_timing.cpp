// Effuse's side of compare.py: feature_timing WEIGHTS DEVICE THREADS TILE. Reads lines from stdin,
// each the path of a folder of images, and answers each with the seconds that their features and
// statistics took. Waits in between.
#include <ATen/Parallel.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "comm/backends.hpp"
#include "core/heap.hpp"
#include "evaluation/feature_pass.hpp"
#include "evaluation/inception.hpp"
#include "training/stopwatch.hpp"

namespace {

void serve(char** argv) {
  const at::Device device(argv[2]);
  const int threads = std::atoi(argv[3]);
  at::set_num_threads(threads);
  const effuse::InceptionNetwork network(argv[1], effuse::InceptionNetwork::UnknownWeights::allow,
                                         effuse::InputConvention::legacy_pytorch, device);
  const auto comm = effuse::make_single(effuse::Deadlines{});
  const effuse::PassSettings settings{.tile = std::atoi(argv[4]), .workers = threads};
  for (std::string folder; std::getline(std::cin, folder);) {
    const effuse::Stopwatch watch;
    const auto source = effuse::open_image_source(folder);
    const auto set = effuse::compute_features(network, *source, settings, *comm, device);
    const effuse::Gaussian gaussian = set->moments.gaussian();
    std::cout << watch.elapsed_s() << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: feature_timing WEIGHTS DEVICE THREADS TILE\n";
    return 2;
  }
  try {
    effuse::keep_freed_memory();  // as every job does
    serve(argv);
  } catch (const std::exception& error) {
    std::cerr << "feature_timing: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
