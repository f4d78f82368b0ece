#include "kernels/group_norm.hpp"

#include <ATen/ATen.h>

#include <string>

#include "compare.hpp"
#include "sections.hpp"

namespace effuse::benchmark {
namespace {

struct Case {
  std::int64_t images, channels, side, groups;
  at::ScalarType type;
  at::MemoryFormat layout;
};

/// What autocast makes of the norm and SiLU between two convolutions.
at::Tensor by_libtorch(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::int64_t groups) {
  return at::silu(at::group_norm(x.to(at::kFloat), groups, weight, bias)).to(x.scalar_type());
}

void compare_case(const Case& c) {
  const std::vector<std::int64_t> sizes{c.images, c.channels, c.side, c.side};
  const std::vector<at::Tensor> inputs{
      at::randn(sizes).to(c.type).contiguous(c.layout).set_requires_grad(true),
      at::randn({c.channels}).set_requires_grad(true),
      at::randn({c.channels}).set_requires_grad(true)};
  const at::Tensor gradient = at::randn(sizes).to(c.type).contiguous(c.layout);
  const auto ours = [&] {
    return group_norm(inputs[0], {inputs[1], inputs[2], c.groups, 1e-5, AfterNorm::silu});
  };
  const auto theirs = [&] { return by_libtorch(inputs[0], inputs[1], inputs[2], c.groups); };
  const bool last = c.layout == at::MemoryFormat::ChannelsLast;
  const std::string name = std::string(at::toString(c.type)) + (last ? " last" : "") +
                           " C=" + std::to_string(c.channels) +
                           " HW=" + std::to_string(c.side * c.side) +
                           " groups=" + std::to_string(c.groups) + " N=" + std::to_string(c.images);
  compare_passes("group norm, SiLU", name, ours, theirs, inputs, gradient);
}

}  // namespace

void compare_group_norm() {
  for (const at::ScalarType type : {at::kBFloat16, at::kFloat}) {
    for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      for (const std::int64_t side : {4, 8, 16, 32}) {
        compare_case({8, 128, side, 32, type, layout});
        compare_case({8, 64, side, 1, type, layout});
      }
    }
  }
}

}  // namespace effuse::benchmark
