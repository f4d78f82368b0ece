#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_folder.hpp"

namespace effuse {

/// A small checkpoint whose every part depends on its step.
inline CheckpointContents example_checkpoint(std::int64_t step) {
  const auto value = static_cast<double>(step);
  const at::Tensor weight = at::arange(6, at::kFloat).reshape({2, 3}) + value;
  const at::Tensor bias = at::full({5}, -value, at::kFloat);
  CheckpointContents contents;
  contents.model = {{"conv.weight", weight}, {"conv.bias", bias}};
  contents.ema = {{"conv.weight", weight * 0.5}, {"conv.bias", bias * 0.5}};
  contents.optimizer = {{"moment1", at::full({11}, value + 0.25, at::kFloat)},
                        {"steps", at::full({}, step, at::kLong)}};
  contents.state = {
      step,           128 * step, ~std::uint64_t{0}, "[run]\nname = \"\xc3\xbc\"\n", "f00d",
      {"cat", "dog"}, 2,          {.updates = step}};
  return contents;
}

inline bool equal(const NamedTensors& a, const NamedTensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.scalar_type() == y.second.scalar_type() &&
           x.second.equal(y.second);
  });
}

inline bool equal(const CheckpointContents& a, const CheckpointContents& b) {
  return equal(a.model, b.model) && equal(a.ema, b.ema) && equal(a.optimizer, b.optimizer) &&
         a.state == b.state;
}

/// The names in a folder, hidden ones too, sorted.
inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline const std::vector<std::string> kCheckpointFiles{
    "ema.safetensors", "manifest.json", "model.safetensors", "optimizer.safetensors", "state.json"};

}  // namespace effuse
