#pragma once

#include <string>
#include <vector>

#include "checkpoint/safetensors.hpp"

namespace torch::nn {
class Module;
}

namespace effuse {

/// What became of each tensor, a line each: "conv_in.weight [128, 3, 3, 3]".
struct PretrainedReport {
  std::vector<std::string> loaded;
  std::vector<std::string> misshaped;   ///< there, but of another shape: left as it was
  std::vector<std::string> missing;     ///< of the network, not given: left as it was
  std::vector<std::string> unexpected;  ///< given, not of the network

  /// Everything but `loaded`, with its reason.
  std::vector<std::string> misfits() const;
};

/// Copies into the network what fits it by name and shape; types and devices are converted. Throws
/// ConfigError naming `where` and the first misfits where nothing fits.
PretrainedReport load_pretrained(torch::nn::Module& network, const NamedTensors& tensors,
                                 const std::string& where);

}  // namespace effuse
