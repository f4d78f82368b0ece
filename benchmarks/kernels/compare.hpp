#pragma once

#include <functional>
#include <string>

namespace effuse::benchmark {

/// Runs both by turns for `rounds` rounds, and prints the median CPU time of each and the median,
/// least and greatest ratio theirs / ours. CPU time rather than wall-clock time: it says the same
/// on a machine that has other work to do.
void compare(const std::string& name, const std::function<void()>& ours,
             const std::function<void()>& theirs, int rounds = 15);

}  // namespace effuse::benchmark
