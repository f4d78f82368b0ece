#include "models/iddm_network.hpp"

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "models/config_checks.hpp"

namespace effuse {
namespace {

NetworkTraits checked_traits(const ModelConfig& config, std::int64_t levels) {
  check_resolved(config);
  const std::int64_t factor = std::int64_t{1} << (levels - 1);
  if (config.sample_size % factor != 0) {
    throw ConfigError(cat("model.sample_size is ", config.sample_size, " but ", config.name,
                          " halves it ", levels - 1, " times; make it a multiple of ", factor));
  }
  if (config.dropout != 0.0) {
    throw ConfigError(cat("model.dropout is ", config.dropout, " but ", config.name,
                          " has no dropout; leave it at 0"));
  }
  if (config.num_class_embeds == 1 && config.null_class) {
    throw ConfigError(
        cat("model.num_class_embeds is 1, so the null class is the only one; give the "
            "classes and one null class, or 0 for an unconditional network"));
  }
  return {config.in_channels, config.sample_size, config.num_class_embeds, config.null_class};
}

/// [N, kIddmEmbeddingSize] in fp32, computed in the order of IDDM's operations.
at::Tensor time_sinusoids(const at::Tensor& t) {
  const auto fp32 = t.options().dtype(at::kFloat);
  const at::Tensor exponents = at::arange(0, kIddmEmbeddingSize, 2, fp32) / kIddmEmbeddingSize;
  const at::Tensor frequencies = at::pow(10000.0, exponents).reciprocal();
  const at::Tensor angles = t.to(at::kFloat).unsqueeze(1) * frequencies;
  return at::cat({angles.sin(), angles.cos()}, 1);
}

}  // namespace

IddmNetwork::IddmNetwork(const ModelConfig& config, std::int64_t levels)
    : Network(checked_traits(config, levels)), size_factor_(std::int64_t{1} << (levels - 1)) {
  if (!is_conditional()) return;
  const std::int64_t rows = traits().class_count - (null_class() < 0 ? 0 : 1);
  label_emb_ = register_scope(*this, "condition_adapter")
                   .register_module("label_emb", torch::nn::Embedding(rows, kIddmEmbeddingSize));
}

void IddmNetwork::use_kernels(Kernels kernels) {
  for (const auto& module : modules()) {
    if (auto* chooser = dynamic_cast<ChoosesKernels*>(module.get())) chooser->use(kernels);
  }
}

void IddmNetwork::check(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) const {
  check_inputs(x, t, labels);
  check_image_size(x, size_factor_, "the levels of the network");
}

at::Tensor IddmNetwork::embed(const at::Tensor& t, const at::Tensor& labels, at::ScalarType type) {
  const at::Tensor embedding = time_sinusoids(t).to(type);
  if (!label_emb_) return embedding;
  if (null_class() < 0) return embedding + label_emb_(labels);
  // Labels beyond the null class must still fail in the look-up.
  const at::Tensor is_null = labels.eq(null_class());
  const at::Tensor rows = label_emb_(labels.masked_fill(is_null, 0));
  return embedding + rows.masked_fill(is_null.unsqueeze(1), 0.0);
}

std::vector<std::int64_t> iddm_channels(const ModelConfig& config,
                                        std::initializer_list<std::int64_t> defaults) {
  if (config.channels.empty()) return defaults;
  if (config.channels.size() != defaults.size()) {
    throw ConfigError(cat("model.channels has ", config.channels.size(), " entries but ",
                          config.name, " takes ", defaults.size(),
                          "; give as many, or [] for those of IDDM"));
  }
  for (const std::int64_t channels : config.channels) {
    if (channels < 1) {
      throw ConfigError(cat("model.channels has ", channels, "; each must be at least 1"));
    }
  }
  return config.channels;
}

torch::nn::Module& register_scope(torch::nn::Module& parent, const char* name) {
  return *parent.register_module(name, std::make_shared<torch::nn::Module>());
}

EmbeddingShift::EmbeddingShift(std::int64_t channels)
    : linear_(register_module("1", torch::nn::Linear(kIddmEmbeddingSize, channels))) {}

at::Tensor EmbeddingShift::forward(const at::Tensor& x, const at::Tensor& embedding) {
  return x + linear_(at::silu(embedding)).unsqueeze(2).unsqueeze(3);
}

}  // namespace effuse
