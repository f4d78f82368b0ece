#include "compare.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

namespace effuse::benchmark {
namespace {

double cpu_seconds(const std::function<void()>& action) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  action();
  return now() - start;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

void compare(const std::string& name, const std::function<void()>& ours,
             const std::function<void()>& theirs, int rounds) {
  ours();
  theirs();
  std::vector<double> ours_s, theirs_s, ratios;
  for (int i = 0; i < rounds; ++i) {
    ours_s.push_back(cpu_seconds(ours));
    theirs_s.push_back(cpu_seconds(theirs));
    ratios.push_back(theirs_s.back() / ours_s.back());
  }
  const auto [least, greatest] = std::ranges::minmax(ratios);
  std::printf("%-58s %9.3f ms %9.3f ms %6.2f (%.2f to %.2f)\n", name.c_str(), 1e3 * median(ours_s),
              1e3 * median(theirs_s), median(ratios), least, greatest);
  std::fflush(stdout);
}

void compare_passes(const std::string& operation, const std::string& name,
                    const std::function<at::Tensor()>& ours,
                    const std::function<at::Tensor()>& theirs,
                    const std::vector<at::Tensor>& inputs, const at::Tensor& gradient) {
  compare(operation + " forward " + name, ours, theirs);
  const auto backward = [&](const at::Tensor& out) {
    torch::autograd::grad({out}, inputs, {gradient}, /*retain_graph=*/true);
  };
  const at::Tensor our_out = ours(), their_out = theirs();
  compare(
      operation + " backward " + name, [&] { backward(our_out); }, [&] { backward(their_out); });
}

}  // namespace effuse::benchmark
