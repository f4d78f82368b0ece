#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>

#include "evaluation/conv_unit.hpp"

namespace effuse {

/// SHA-256 of pt_inception-2015-12-05-6726825d.pth, the weights of Google's inception-2015-12-05
/// that pytorch-fid and torch-fidelity use.
inline constexpr const char* kInceptionSha256 =
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2";

/// The tensors of an Inception network by the names of torchvision, handed out one by one, so that
/// what is missing, of another shape, or left over is found. Every function throws DataError naming
/// the file and the tensor.
class InceptionWeights {
 public:
  /// A state_dict as torch.save or safetensors writes it.
  explicit InceptionWeights(const std::filesystem::path& file);

  at::Tensor take(const std::string& name, at::IntArrayRef shape);

  /// The convolution "<name>.conv" with its normalisation "<name>.bn"; kernel: height and width.
  ConvUnit take_unit(const std::string& name, std::int64_t channels_in, std::int64_t channels_out,
                     std::array<std::int64_t, 2> kernel, const ConvUnit::Geometry& geometry,
                     at::Device device);

  /// Throws where a tensor was not taken; counters and an auxiliary classifier do not matter.
  void require_all_taken() const;

 private:
  std::filesystem::path file_;
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace effuse
