#include "evaluation/torchscript_network.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "comm/plain_message.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kTrialSize = 64;

/// The first line that says something; TorchScript goes on to quote its own code.
std::string first_line(const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \n"), text.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

/// Why a module failed: what it, or the function it called, raised. Before it stands where, in the
/// module's code, and after it, now and then, general advice on CUDA.
std::string cause(const std::string& text) {
  const std::size_t raised = text.rfind("\nRuntimeError: ");
  if (raised != std::string::npos) return first_line(text.substr(raised));
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return "no reason is given";
  return first_line(text.substr(0, end + 1).substr(text.rfind('\n', end) + 1));
}

class TorchscriptNetwork : public FeatureNetwork {
 public:
  TorchscriptNetwork(const std::filesystem::path& file, at::Device device) : file_(file.string()) {
    try {
      origin_ = {"torchscript", sha256_of_file(file), ""};
      module_ = torch::jit::load(file_, device);
      module_.eval();
    } catch (const std::system_error& error) {
      throw DataError(cat("evaluation.network: ", error.what()));
    } catch (const std::exception& error) {  // errors of syntax are no c10::Error
      throw DataError(cat("evaluation.network: ", file_, " is no TorchScript file (",
                          first_line(plain_message(error)), "). Write it with torch.jit.save()."));
    }
    const auto options = at::TensorOptions(at::kByte).device(device);
    dimensions_ = forward(at::zeros({2, kTrialSize, kTrialSize, 3}, options)).size(1);
  }

  Features operator()(const at::Tensor& images) const override { return {forward(images), {}}; }
  std::int64_t dimensions() const override { return dimensions_; }
  bool classifies() const override { return false; }
  const FeatureOrigin& origin() const override { return origin_; }

 private:
  at::Tensor forward(const at::Tensor& images) const {
    const at::NoGradGuard no_grad;
    at::Tensor result;
    try {
      result = module_.forward({images.permute({0, 3, 1, 2}).contiguous()}).toTensor();
    } catch (const std::exception& error) {
      throw DataError(cat("evaluation.network: ", file_, " fails on uint8 images [", images.size(0),
                          ", 3, ", images.size(1), ", ", images.size(2),
                          "]: ", cause(plain_message(error))));
    }
    if (result.dim() != 2 || result.size(0) != images.size(0) || result.size(1) == 0 ||
        (dimensions_ > 0 && result.size(1) != dimensions_) || !result.is_floating_point()) {
      throw DataError(cat("evaluation.network: ", file_, " returns ", c10::str(result.sizes()),
                          " of ", c10::toString(result.scalar_type()), " for ", images.size(0),
                          " images, but features have to be floats [N, D]"));
    }
    return result.to(at::kFloat);
  }

  std::string file_;
  mutable torch::jit::Module module_;
  FeatureOrigin origin_;
  std::int64_t dimensions_ = 0;
};

}  // namespace

std::unique_ptr<FeatureNetwork> load_torchscript_network(const std::filesystem::path& file,
                                                         at::Device device) {
  return std::make_unique<TorchscriptNetwork>(file, device);
}

}  // namespace effuse
