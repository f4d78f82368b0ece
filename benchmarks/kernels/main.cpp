/// kernel_benchmark [threads]: what our CPU kernels gain over ATen's, in CPU time. Built on
/// request:
///
///   cmake --build --preset release --target kernel_benchmark && build/release/bin/kernel_benchmark

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <cstdlib>

#include "sections.hpp"

int main(int argc, char** argv) {
  at::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 1);
  std::printf("%-58s %12s %12s %s\n", "against", "ours", "theirs", "theirs / ours");
  effuse::benchmark::compare_optimisers();
}
