#include <ATen/ATen.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/operations.hpp"
#include "models/weights.hpp"

/// network_forward FOLDER: one forward and backward pass of a network, for live_comparison.py.
/// Reads FOLDER/request.json (config, shape, t, labels, type) and, as raw float64, weights (in the
/// order of the state_dict), x and cotangent; writes output, gradients (in the same order, of
/// trained weights alone), and the operations of one image's forward pass.
namespace effuse {
namespace {

class Exchange {
 public:
  Exchange(std::string folder, at::ScalarType type) : folder_(std::move(folder)), type_(type) {}

  /// The next numbers of a file that is read front to back.
  at::Tensor read(std::ifstream& file, at::IntArrayRef shape) const {
    at::Tensor values = at::empty(shape, at::kDouble);
    file.read(static_cast<char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
    if (!file) throw std::runtime_error("a file in " + folder_ + " is too short");
    return values.to(type_);
  }

  at::Tensor read(const std::string& name, at::IntArrayRef shape) const {
    std::ifstream file = open(name);
    return read(file, shape);
  }

  std::ifstream open(const std::string& name) const {
    return std::ifstream(folder_ + "/" + name, std::ios::binary);
  }

  void write(const std::string& name, const std::vector<at::Tensor>& tensors) const {
    std::ofstream file(folder_ + "/" + name, std::ios::binary);
    for (const at::Tensor& tensor : tensors) {
      const at::Tensor values = tensor.detach().to(at::kDouble).contiguous();
      file.write(static_cast<const char*>(values.data_ptr()),
                 static_cast<std::streamsize>(values.nbytes()));
    }
  }

 private:
  std::string folder_;
  at::ScalarType type_;
};

void run(const std::string& folder) {
  const auto request = nlohmann::json::parse(std::ifstream(folder + "/request.json"));
  const auto type = request.at("type") == "float64" ? at::kDouble : at::kFloat;
  const Exchange exchange(folder, type);
  const auto network = make_network(golden::model_config(request.at("config")));
  network->eval();
  network->to(type);

  NamedTensors weights = named_weights(*network);
  std::ifstream file = exchange.open("weights");
  for (auto& [name, tensor] : weights) tensor = exchange.read(file, tensor.sizes());
  load_weights(*network, weights);

  const auto shape = request.at("shape").get<std::vector<std::int64_t>>();
  const auto classes = request.at("labels").get<std::vector<std::int64_t>>();
  const at::Tensor labels = classes.empty() ? at::Tensor() : at::tensor(classes, at::kLong);
  const at::Tensor t = at::tensor(request.at("t").get<std::vector<std::int64_t>>(), at::kLong);
  const at::Tensor output = network->forward(exchange.read("x", shape), t, labels);
  output.backward(exchange.read("cotangent", shape));
  exchange.write("output", {output});
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : network->parameters()) {
    if (parameter.requires_grad()) gradients.push_back(parameter.grad());
  }
  exchange.write("gradients", gradients);
  exchange.write("flops", {at::tensor(forward_flops(*network, at::kCPU, type), at::kDouble)});
}

}  // namespace
}  // namespace effuse

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: network_forward FOLDER\n";
    return 2;
  }
  try {
    effuse::run(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
