#include "evaluation/inception_weights.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/model_file.hpp"

namespace effuse {
namespace {

NamedTensors read_state_dict(const std::filesystem::path& file) {
  try {
    return read_tensors(file, detect_format(file), WeightsKind::model);
  } catch (const CheckpointError& error) {
    throw DataError(cat("evaluation.weights: ", error.what()));
  }
}

std::string text_of(at::IntArrayRef shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += cat(text.size() > 1 ? ", " : "", size);
  return text + "]";
}

}  // namespace

InceptionWeights::InceptionWeights(const std::filesystem::path& file) : file_(file) {
  for (auto& [name, tensor] : read_state_dict(file)) tensors_.emplace(name, tensor);
}

at::Tensor InceptionWeights::take(const std::string& name, at::IntArrayRef shape) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw DataError(cat(file_.string(), " has no tensor ", name,
                        " (is it the Inception network of FID? see docs/evaluation.md)"));
  }
  const at::Tensor tensor = found->second;
  if (tensor.sizes() != shape) {
    throw DataError(cat(file_.string(), ": tensor ", name, " is ", text_of(tensor.sizes()),
                        ", but the Inception network of FID has ", text_of(shape)));
  }
  tensors_.erase(found);
  return tensor.to(at::kFloat);
}

ConvUnit InceptionWeights::take_unit(const std::string& name, std::int64_t channels_in,
                                     std::int64_t channels_out, std::array<std::int64_t, 2> kernel,
                                     const ConvUnit::Geometry& geometry, at::Device device) {
  const at::Tensor weight =
      take(name + ".conv.weight", {channels_out, channels_in, kernel[0], kernel[1]});
  const auto of_norm = [&](const char* part) {
    return take(cat(name, ".bn.", part), {channels_out});
  };
  const ConvUnit::Norm norm{.weight = of_norm("weight"),
                            .bias = of_norm("bias"),
                            .mean = of_norm("running_mean"),
                            .variance = of_norm("running_var")};
  return ConvUnit(weight, norm, geometry, device);
}

void InceptionWeights::require_all_taken() const {
  for (const auto& [name, tensor] : tensors_) {
    if (name.ends_with(".num_batches_tracked") || name.starts_with("AuxLogits.")) continue;
    throw DataError(
        cat(file_.string(), " has a tensor ", name, " that the Inception network of FID has not"));
  }
}

}  // namespace effuse
