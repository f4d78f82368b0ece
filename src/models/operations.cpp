#include "models/operations.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <string_view>

#include "models/network.hpp"

namespace effuse {
namespace {

using Inputs = c10::ArrayRef<const c10::IValue>;

double product_of(at::IntArrayRef sizes) {
  double product = 1.0;
  for (const std::int64_t size : sizes) product *= static_cast<double>(size);
  return product;
}

/// Elements of each channel of the output.
double output_pixels(const at::Tensor& input, const at::Tensor& weight, const Inputs& inputs) {
  const auto stride = inputs[3].toIntVector(), padding = inputs[4].toIntVector(),
             dilation = inputs[5].toIntVector();
  double pixels = 1.0;
  for (std::size_t i = 0; i < stride.size(); ++i) {
    const auto dim = static_cast<std::int64_t>(i) + 2;
    const std::int64_t reach = dilation[i] * (weight.size(dim) - 1) + 1;
    pixels *= static_cast<double>((input.size(dim) + 2 * padding[i] - reach) / stride[i] + 1);
  }
  return pixels;
}

/// convolution(input, weight, bias, stride, padding, dilation, transposed, …)
double of_convolution(const Inputs& inputs) {
  const at::Tensor input = inputs[0].toTensor(), weight = inputs[1].toTensor();
  const double pixels = inputs[6].toBool() ? product_of(input.sizes().slice(2))
                                           : output_pixels(input, weight, inputs);
  return 2.0 * static_cast<double>(input.size(0)) * pixels * product_of(weight.sizes());
}

/// a [..., M, K] times b [..., K, N]
double of_product(const at::Tensor& a, const at::Tensor& b) {
  return 2.0 * product_of(a.sizes()) * static_cast<double>(b.size(-1));
}

/// q [..., M, K], k [..., N, K], v [..., N, L]
double of_attention(const Inputs& inputs) {
  const at::Tensor q = inputs[0].toTensor(), k = inputs[1].toTensor(), v = inputs[2].toTensor();
  return of_product(q, k.transpose(-2, -1)) +
         of_product(q.narrow(-1, 0, 1), v) * static_cast<double>(k.size(-2));
}

/// Negative for what is not counted.
double flops_of(std::string_view name, const Inputs& inputs) {
  if (name == "aten::convolution") return of_convolution(inputs);
  if (name == "aten::mm" || name == "aten::bmm") {
    return of_product(inputs[0].toTensor(), inputs[1].toTensor());
  }
  if (name == "aten::addmm" || name == "aten::baddbmm") {
    return of_product(inputs[1].toTensor(), inputs[2].toTensor());
  }
  if (name == "effuse::attention" || name == "aten::scaled_dot_product_attention") {
    return of_attention(inputs);
  }
  return -1.0;
}

/// Of this thread, while counting. What an operation that is counted calls itself is not.
struct Count {
  double flops = 0.0;
  const at::RecordFunction* within = nullptr;
};
thread_local Count count;

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  if (count.within != nullptr) return nullptr;
  const double flops = flops_of(function.name(), function.inputs());
  if (flops < 0.0) return nullptr;
  count.flops += flops;
  count.within = &function;
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext*) {
  if (count.within == &function) count.within = nullptr;
}

/// Counts while it lives.
class Counting {
 public:
  Counting()
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                               .needsInputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    count = {};
  }
  ~Counting() { at::removeCallback(handle_); }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

double forward_flops(Network& network, at::Device device, at::ScalarType type) {
  const at::NoGradGuard no_grad;
  const NetworkTraits& traits = network.traits();
  const auto options = at::TensorOptions(device);
  const at::Tensor x =
      at::zeros({1, traits.channels, traits.sample_size, traits.sample_size}, options.dtype(type));
  const at::Tensor t = at::zeros({1}, options.dtype(at::kLong));
  const bool was_training = network.is_training();
  network.eval();
  const Counting counting;
  network.forward(x, t, network.is_conditional() ? at::zeros_like(t) : at::Tensor());
  network.train(was_training);
  return count.flops;
}

}  // namespace effuse
