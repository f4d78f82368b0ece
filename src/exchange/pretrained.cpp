#include "exchange/pretrained.hpp"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

[[noreturn]] void refuse(const PretrainedReport& report, const std::string& where) {
  constexpr std::size_t kShown = 6;
  const auto misfits = report.misfits();
  std::string message = cat("model.pretrained: nothing in ", where,
                            " fits the network by name and shape, so training would begin from "
                            "nothing (is it of another network?)");
  for (std::size_t i = 0; i < std::min(misfits.size(), kShown); ++i) {
    message += "\n  " + misfits[i];
  }
  if (misfits.size() > kShown) message += cat("\n  and ", misfits.size() - kShown, " more");
  throw ConfigError(message);
}

}  // namespace

std::vector<std::string> PretrainedReport::misfits() const {
  std::vector<std::string> lines;
  for (const std::string& tensor : misshaped) lines.push_back("shape " + tensor);
  for (const std::string& tensor : missing) lines.push_back("missing " + tensor);
  for (const std::string& tensor : unexpected) lines.push_back("unexpected " + tensor);
  return lines;
}

PretrainedReport load_pretrained(torch::nn::Module& network, const NamedTensors& tensors,
                                 const std::string& where) {
  std::map<std::string, at::Tensor> given(tensors.begin(), tensors.end());
  PretrainedReport report;
  const at::NoGradGuard no_grad;
  for (const auto& [name, own] : named_weights(network)) {
    const auto found = given.find(name);
    if (found == given.end()) {
      report.missing.push_back(cat(name, " ", own.sizes()));
      continue;
    }
    if (found->second.sizes() == own.sizes()) {
      own.copy_(found->second);
      report.loaded.push_back(cat(name, " ", own.sizes()));
    } else {
      report.misshaped.push_back(
          cat(found->second.sizes(), " instead of ", own.sizes(), " for ", name));
    }
    given.erase(found);
  }
  for (const auto& [name, tensor] : given) {
    report.unexpected.push_back(cat(name, " ", tensor.sizes()));
  }
  if (report.loaded.empty()) refuse(report, where);
  return report;
}

}  // namespace effuse
