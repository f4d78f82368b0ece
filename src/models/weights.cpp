#include "models/weights.hpp"

#include <torch/nn/module.h>

#include <map>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

void collect(const torch::nn::Module& module, const std::string& prefix, NamedTensors& out) {
  for (const auto& item : module.named_parameters(/*recurse=*/false)) {
    out.emplace_back(prefix + item.key(), item.value().detach());
  }
  for (const auto& item : module.named_buffers(/*recurse=*/false)) {
    out.emplace_back(prefix + item.key(), item.value().detach());
  }
  for (const auto& child : module.named_children()) {
    collect(*child.value(), prefix + child.key() + ".", out);
  }
}

[[noreturn]] void refuse(const std::vector<std::string>& misfits) {
  std::string message = cat(misfits.size(), misfits.size() == 1 ? " tensor does" : " tensors do",
                            " not fit the network, so none was loaded (were the weights "
                            "made with another [model] configuration?)");
  for (const std::string& misfit : misfits) message += "\n  " + misfit;
  throw CheckpointError(message);
}

}  // namespace

NamedTensors named_weights(const torch::nn::Module& module) {
  NamedTensors weights;
  collect(module, "", weights);
  return weights;
}

std::vector<std::string> find_misfits(const torch::nn::Module& module,
                                      const NamedTensors& weights) {
  std::vector<std::string> misfits;
  std::map<std::string, at::Tensor> given;
  for (const auto& [name, tensor] : weights) {
    if (!given.emplace(name, tensor).second) misfits.push_back("given twice: " + name);
  }
  std::map<std::string, at::Tensor> unexpected = given;
  for (const auto& [name, tensor] : named_weights(module)) {
    const auto found = given.find(name);
    if (found == given.end()) {
      misfits.push_back(cat("missing ", name, " ", tensor.sizes()));
    } else if (found->second.sizes() != tensor.sizes()) {
      misfits.push_back(
          cat("shape ", found->second.sizes(), " instead of ", tensor.sizes(), " for ", name));
    }
    unexpected.erase(name);
  }
  for (const auto& [name, tensor] : unexpected) {
    misfits.push_back(cat("unexpected ", name, " ", tensor.sizes()));
  }
  return misfits;
}

void load_weights(torch::nn::Module& module, const NamedTensors& weights) {
  const auto misfits = find_misfits(module, weights);
  if (!misfits.empty()) refuse(misfits);
  const std::map<std::string, at::Tensor> given(weights.begin(), weights.end());
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : named_weights(module)) tensor.copy_(given.at(name));
}

}  // namespace effuse
