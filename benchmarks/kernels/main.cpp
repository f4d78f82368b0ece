/// kernel_benchmark [threads]: what our CPU kernels gain over ATen's, in CPU time. Built on
/// request:
///
///   cmake --build --preset release --target kernel_benchmark && build/release/bin/kernel_benchmark

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "sections.hpp"

int main(int argc, char** argv) {
  const std::string section = argc > 1 ? argv[1] : "all";
  at::set_num_threads(argc > 2 ? std::atoi(argv[2]) : 1);
  std::printf("%-58s %12s %12s %s\n", "against", "ours", "theirs", "theirs / ours");
  const auto wanted = [&](const char* name) { return section == "all" || section == name; };
  if (wanted("attention")) effuse::benchmark::compare_attention();
  if (wanted("group-norm")) effuse::benchmark::compare_group_norm();
  if (wanted("optimisers")) effuse::benchmark::compare_optimisers();
}
