#include "kernels/attention.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "compare.hpp"
#include "sections.hpp"

namespace effuse::benchmark {
namespace {

struct Case {
  std::int64_t images, heads, length, size;
  at::ScalarType type;
};

void compare_case(const Case& c) {
  // As the network makes them: [N, L, heads * D], seen as [N, heads, L, D].
  std::vector<at::Tensor> inputs;
  for (int i = 0; i < 3; ++i) {
    const at::Tensor x = at::randn({c.images, c.length, c.heads, c.size}).to(c.type);
    inputs.push_back(x.transpose(1, 2).detach().set_requires_grad(true));
  }
  const at::Tensor gradient =
      at::randn({c.images, c.length, c.heads, c.size}).to(c.type).transpose(1, 2);
  const auto ours = [&] { return attention(inputs[0], inputs[1], inputs[2]); };
  const auto theirs = [&] {
    return at::scaled_dot_product_attention(inputs[0], inputs[1], inputs[2]);
  };
  const std::string name = std::string(at::toString(c.type)) + " D=" + std::to_string(c.size) +
                           " L=" + std::to_string(c.length) + " heads=" + std::to_string(c.heads) +
                           " N=" + std::to_string(c.images);
  compare_passes("attention", name, ours, theirs, inputs, gradient);
}

}  // namespace

void compare_attention() {
  for (const at::ScalarType type : {at::kBFloat16, at::kFloat}) {
    for (const std::int64_t size : {8, 16, 32, 48, 64}) {
      for (const std::int64_t length : {16, 64, 256, 1024}) {
        compare_case(
            {length == 1024 ? 1 : 8, std::max<std::int64_t>(128 / size, 4), length, size, type});
      }
    }
  }
}

}  // namespace effuse::benchmark
