#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "checkpoint/safetensors.hpp"
#include "comm/communicator.hpp"
#include "config/toml_reader.hpp"
#include "diffusion/draws.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "training/gradient_order.hpp"
#include "training/optimiser.hpp"
#include "training/step.hpp"

/// one_step FOLDER...: training steps for one_step_test.py.
///
/// Reads of each folder config.toml, weights.safetensors, whose type is that of the whole
/// computation, and batches.safetensors (images: uint8 [steps, N, H, W, C]; labels: int64
/// [steps, N]). Writes, for each step from 0, drawn-K.safetensors (t, noise, labels) and
/// step-K.safetensors: loss, grad_norm (before clipping), and by name "gradient.…" (after
/// clipping), "weight.…" and "average.…" (after the step).
namespace effuse {
namespace {

namespace fs = std::filesystem;

Batch batch_of(const at::Tensor& images, const at::Tensor& labels, std::int64_t step) {
  Batch batch;
  batch.step = step;
  batch.images = images[step];
  batch.labels = labels[step];
  const std::int64_t count = batch.labels.numel();
  for (std::int64_t i = 0; i < count; ++i) batch.positions.push_back(step * count + i);
  return batch;
}

/// What TrainStep draws for the batch: a pure function of seed and positions.
NamedTensors drawn(const Config& config, const Network& network, const Batch& batch) {
  const bool conditional = network.is_conditional();
  const TrainingDrawSettings settings{.seed = static_cast<std::uint64_t>(config.run.seed),
                                      .timesteps = config.diffusion.timesteps,
                                      .label_drop = conditional ? config.diffusion.label_drop : 0.0,
                                      .null_class = network.null_class()};
  const std::int64_t size = config.model.sample_size;
  const TrainingDraws draws =
      draw_for_training(settings, batch.positions, {config.model.in_channels, size, size},
                        conditional ? batch.labels : at::Tensor());
  NamedTensors tensors{{"t", draws.t}, {"noise", draws.noise}};
  if (conditional) tensors.emplace_back("labels", draws.labels);
  return tensors;
}

/// The gradients as they were summed; what the optimiser sees of them is `clipped` of it.
NamedTensors result_of(const StepReport& report, const FlatState& state, double clipped) {
  NamedTensors tensors{{"loss", at::tensor(report.loss, at::kDouble)},
                       {"grad_norm", at::tensor(report.grad_norm, at::kDouble)}};
  for (const auto& place : state.places()) {
    tensors.emplace_back("gradient." + place.name, state.view(state.gradients(), place) * clipped);
  }
  for (const auto& [name, weight] : state.named_parameters()) {
    tensors.emplace_back("weight." + name, weight);
  }
  for (const auto& [name, weight] : state.named_average()) {
    tensors.emplace_back("average." + name, weight);
  }
  return tensors;
}

void run(const fs::path& folder, Communicator& comm) {
  Config config;
  read_toml_file(config, folder / "config.toml");
  const auto weights = read_safetensors(folder / "weights.safetensors").tensors;
  const auto read = read_safetensors(folder / "batches.safetensors").tensors;
  const std::map<std::string, at::Tensor> batches(read.begin(), read.end());

  const auto network = make_network(config.model);
  network->to(weights.at(0).second.scalar_type());
  load_weights(*network, weights);
  FlatState state(*network, moments_of(config.optimizer), {.order = gradient_order(*network)});
  const Schedule schedule(config.diffusion);
  TrainStep train_step(*network, state, schedule, comm, config,
                       {.total_steps = config.run.steps, .dataset_size = 1000}, at::kCPU);
  for (std::int64_t step = 0; step < config.run.steps; ++step) {
    const Batch batch = batch_of(batches.at("images"), batches.at("labels"), step);
    train_step.launch(batch, /*stop_wanted=*/false);
    const StepReport report = train_step.finish();
    const double largest = config.optimizer.grad_clip;
    const double clipped = largest > 0 ? std::min(1.0, largest / (report.grad_norm + 1e-6)) : 1.0;
    const std::string number = std::to_string(step) + ".safetensors";
    write_safetensors(folder / ("drawn-" + number), drawn(config, *network, batch));
    write_safetensors(folder / ("step-" + number), result_of(report, state, clipped));
  }
}

}  // namespace
}  // namespace effuse

int main(int argc, char** argv) {
  at::set_num_threads(1);  // several would wait for each other, at these sizes
  try {
    auto session = effuse::Session::open();
    {
      const auto comm = effuse::make_communicator(session, "single", at::kCPU, {});
      for (int i = 1; i < argc; ++i) effuse::run(argv[i], *comm);
    }
    session.finish();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
