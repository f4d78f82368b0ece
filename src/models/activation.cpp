#include "models/activation.hpp"

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

const std::vector<std::pair<std::string, Activation>>& activations() {
  static const std::vector<std::pair<std::string, Activation>> known = {
      {"silu", [](const at::Tensor& x) { return at::silu(x); }},
      {"swish", [](const at::Tensor& x) { return at::silu(x); }},
      {"mish", [](const at::Tensor& x) { return at::mish(x); }},
      {"gelu", [](const at::Tensor& x) { return at::gelu(x); }},
      {"relu", [](const at::Tensor& x) { return at::relu(x); }},
  };
  return known;
}

}  // namespace

Activation activation_named(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, function] : activations()) {
    if (known == name) return function;
    names.push_back(known);
  }
  const std::string nearest = nearest_name(name, names);
  throw ConfigError(cat("model.act_fn is \"", name, "\", which is no known activation",
                        nearest.empty() ? "" : cat("; did you mean \"", nearest, "\"?")));
}

}  // namespace effuse
