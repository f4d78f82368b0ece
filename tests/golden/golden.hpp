#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/config.hpp"

/// Golden files and the formulas of formulas.py, which make what the files leave out.
namespace effuse::golden {

inline nlohmann::json load(const std::string& name) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return nlohmann::json::parse(file);
}

/// [model] from the keys of a golden file; keys left out keep their defaults.
inline ModelConfig model_config(const nlohmann::json& json) {
  ModelConfig config;
  const auto take = [&](const char* key, auto& value) {
    if (json.contains(key)) json.at(key).get_to(value);
  };
  take("name", config.name);
  take("sample_size", config.sample_size);
  take("in_channels", config.in_channels);
  take("num_class_embeds", config.num_class_embeds);
  take("channels", config.channels);
  take("block_out_channels", config.block_out_channels);
  take("down_block_types", config.down_block_types);
  take("up_block_types", config.up_block_types);
  take("layers_per_block", config.layers_per_block);
  take("attention_head_dim", config.attention_head_dim);
  take("norm_num_groups", config.norm_num_groups);
  take("norm_eps", config.norm_eps);
  take("act_fn", config.act_fn);
  take("dropout", config.dropout);
  take("downsample_padding", config.downsample_padding);
  take("flip_sin_to_cos", config.flip_sin_to_cos);
  take("freq_shift", config.freq_shift);
  take("center_input_sample", config.center_input_sample);
  take("resnet_time_scale_shift", config.resnet_time_scale_shift);
  return config;
}

/// A float64 tensor of the numbers under a key.
inline at::Tensor tensor(const nlohmann::json& numbers, at::IntArrayRef shape) {
  return at::tensor(numbers.get<std::vector<double>>(), at::kDouble).reshape(shape);
}

/// scale * sin(step * i + phase) in float64.
inline at::Tensor wave(at::IntArrayRef shape, double scale, double step, double phase) {
  const at::Tensor i = at::arange(c10::multiply_integers(shape), at::kDouble);
  return (at::sin(step * i + phase) * scale).reshape(shape);
}

/// The weight number j of a state_dict.
inline at::Tensor weight(at::IntArrayRef shape, std::size_t j) {
  return wave(shape, 0.05, 0.37, static_cast<double>(j)) + (shape.size() == 1 ? 1.0 : 0.0);
}

inline at::Tensor images(at::IntArrayRef shape) { return wave(shape, 1.0, 0.11, 0.0); }
inline at::Tensor cotangent(at::IntArrayRef shape) { return wave(shape, 1.0, 0.13, 0.4); }
inline at::Tensor starting_noise(at::IntArrayRef shape) { return wave(shape, 1.5, 0.77, 0.2); }
inline at::Tensor step_noise(at::IntArrayRef shape, std::int64_t step) {
  return wave(shape, std::sqrt(2.0), 1.7, 2.3 * static_cast<double>(step));
}

/// The exact prediction, named as diffusion.prediction names it, for pixels distributed as
/// N(0.3 sin(0.7 i), 0.8^2).
inline at::Tensor gaussian_denoiser(const at::Tensor& x, double alpha_bar,
                                    const std::string& prediction = "epsilon") {
  const at::Tensor mean = wave(x.sizes(), 0.3, 0.7, 0.0);
  const double signal = std::sqrt(alpha_bar);
  const double sigma = std::sqrt(1 - alpha_bar);
  const at::Tensor residual =
      (x.to(at::kDouble) - signal * mean) / (alpha_bar * 0.8 * 0.8 + 1 - alpha_bar);
  const at::Tensor noise = sigma * residual;
  if (prediction == "epsilon") return noise.to(x.scalar_type());
  const at::Tensor image = mean + 0.8 * 0.8 * signal * residual;
  return (prediction == "sample" ? image : signal * noise - sigma * image).to(x.scalar_type());
}

/// ||a - b|| / ||b||.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor exact = b.to(at::kDouble);
  return ((a.to(at::kDouble) - exact).norm() / exact.norm()).item<double>();
}

}  // namespace effuse::golden
