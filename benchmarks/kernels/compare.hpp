#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace effuse::benchmark {

/// Runs both by turns for `rounds` rounds, and prints the median CPU time of each and the median,
/// least and greatest ratio theirs / ours. CPU time rather than wall-clock time: it says the same
/// on a machine that has other work to do.
void compare(const std::string& name, const std::function<void()>& ours,
             const std::function<void()>& theirs, int rounds = 15);

/// The same for an operation's forward and its backward pass: `gradient` is that of its result, and
/// `inputs` are what gradients are asked for.
void compare_passes(const std::string& operation, const std::string& name,
                    const std::function<at::Tensor()>& ours,
                    const std::function<at::Tensor()>& theirs,
                    const std::vector<at::Tensor>& inputs, const at::Tensor& gradient);

}  // namespace effuse::benchmark
