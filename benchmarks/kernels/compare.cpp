#include "compare.hpp"

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

}  // namespace effuse::benchmark
