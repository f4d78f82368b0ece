#include "models/activation.hpp"

#include <ATen/ATen.h>

#include <array>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr double kLeakySlope = 0.01;

at::Tensor mish(const at::Tensor& x) { return at::mish(x); }
at::Tensor gelu(const at::Tensor& x) { return at::gelu(x); }
at::Tensor relu(const at::Tensor& x) { return at::relu(x); }
at::Tensor relu6(const at::Tensor& x) { return at::relu6(x); }
at::Tensor lrelu(const at::Tensor& x) { return at::leaky_relu(x, kLeakySlope); }

/// One name of model.act_fn and what it means to each family of networks, nullptr where the family
/// does not have it.
struct NamedActivation {
  std::string_view name;
  Activation diffusers;
  IddmActivation iddm;
};

constexpr std::array kActivations = {
    NamedActivation{"silu", &silu, {&silu, &silu}},
    NamedActivation{"swish", &silu, {}},
    NamedActivation{"mish", &mish, {}},
    NamedActivation{"gelu", &gelu, {&gelu, &gelu}},
    NamedActivation{"relu", &relu, {&relu, &relu}},
    NamedActivation{"relu6", nullptr, {&relu6, &relu6}},
    NamedActivation{"lrelu", nullptr, {&lrelu, &lrelu}},
    NamedActivation{"iddm_lrelu", nullptr, {&silu, &lrelu}},
};

bool is_known(std::string_view name) {
  for (const NamedActivation& activation : kActivations) {
    if (activation.name == name) return true;
  }
  return false;
}

std::string listed(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

[[noreturn]] void refuse(std::string_view name, std::span<const std::string> available,
                         const char* networks) {
  if (is_known(name)) {
    throw ConfigError(cat("model.act_fn is \"", name, "\", which ", networks,
                          " does not have; it has ", listed(available)));
  }
  const std::string nearest = nearest_name(name, available);
  throw ConfigError(cat("model.act_fn is \"", name, "\", which is no known activation",
                        nearest.empty() ? cat("; there are ", listed(available))
                                        : cat("; did you mean \"", nearest, "\"?")));
}

}  // namespace

at::Tensor silu(const at::Tensor& x) { return at::silu(x); }

Activation diffusers_activation(std::string_view name) {
  std::vector<std::string> available;
  for (const NamedActivation& activation : kActivations) {
    if (activation.diffusers == nullptr) continue;
    if (activation.name == name) return activation.diffusers;
    available.emplace_back(activation.name);
  }
  refuse(name, available, "unet2d");
}

IddmActivation iddm_activation(std::string_view name) {
  std::vector<std::string> available;
  for (const NamedActivation& activation : kActivations) {
    if (activation.iddm.layer == nullptr) continue;
    if (activation.name == name) return activation.iddm;
    available.emplace_back(activation.name);
  }
  refuse(name, available, "an IDDM network (unet, cspdarkunet)");
}

}  // namespace effuse
