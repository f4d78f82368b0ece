/// training_start [arguments of effuse-train] --output FOLDER --batches N --drawn K: where
/// effuse-train would begin, for another program to begin there too. Writes into FOLDER, which must
/// not exist:
///
///   config.toml           the resolved configuration
///   model/                the network with its first weights, as a folder of diffusers
///   batches.safetensors   images uint8 [N, B, H, W, C] and labels int64 [N, B] of the first N
///                         batches; t int64 [K, B], noise fp32 [K, B, C, H, W] and, with classes,
///                         dropped_labels int64 [K, B], as the first K steps draw them

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "app/resolve.hpp"
#include "app/run_job.hpp"
#include "app/train_settings.hpp"
#include "checkpoint/safetensors.hpp"
#include "config/toml_writer.hpp"
#include "core/files.hpp"
#include "data/batch_source.hpp"
#include "diffusion/draws.hpp"
#include "exchange/formats.hpp"
#include "models/factory.hpp"
#include "models/weights.hpp"

namespace effuse::benchmark {
namespace {

namespace fs = std::filesystem;

Program program() {
  return {.name = "training_start",
          .summary = "Writes the first weights, batches and draws of a run, for benchmarks.",
          .examples =
              "  training_start --config run.toml --data packed --output start "
              "--batches 20 --drawn 5\n",
          .sections = train_sections(),
          .key_flags = {{"--data", "data.folder"}, {"--batch-size", "run.batch_size"}},
          .extra_flags = {{"--output", "folder to write", "FOLDER"},
                          {"--batches", "batches to write", "N"},
                          {"--drawn", "steps whose draws to write", "K"}}};
}

std::int64_t number(const CommandLine& line, const std::string& flag) {
  return line.has(flag) ? std::stoll(line.extras.at(flag).back()) : 1;
}

TrainingDraws draws_of(const Config& config, const Network& network, const Batch& batch) {
  const bool conditional = network.is_conditional();
  const std::int64_t size = config.model.sample_size;
  return draw_for_training({.seed = static_cast<std::uint64_t>(config.run.seed),
                            .timesteps = config.diffusion.timesteps,
                            .label_drop = conditional ? config.diffusion.label_drop : 0.0,
                            .null_class = network.null_class()},
                           batch.positions, {config.model.in_channels, size, size},
                           conditional ? batch.labels : at::Tensor());
}

NamedTensors batches_of(const Config& config, const Network& network, const ShardedDataset& dataset,
                        std::int64_t batches, std::int64_t drawn) {
  const BatchSource source(dataset, {.seed = static_cast<std::uint64_t>(config.run.seed),
                                     .batch_size = config.run.batch_size});
  std::vector<at::Tensor> images, labels, t, noise, dropped;
  for (std::int64_t step = 0; step < batches; ++step) {
    const Batch batch = source.read(step);
    images.push_back(batch.images);
    labels.push_back(batch.labels);
    if (step >= drawn) continue;
    const TrainingDraws draws = draws_of(config, network, batch);
    t.push_back(draws.t);
    noise.push_back(draws.noise);
    if (draws.labels.defined()) dropped.push_back(draws.labels);
  }
  NamedTensors tensors{{"images", at::stack(images)},
                       {"labels", at::stack(labels)},
                       {"t", at::stack(t)},
                       {"noise", at::stack(noise)}};
  if (!dropped.empty()) tensors.emplace_back("dropped_labels", at::stack(dropped));
  return tensors;
}

void write_start(const CommandLine& line) {
  Config config = line.config;
  if (!line.has("output")) throw ConfigError("--output is not given. Give --output FOLDER.");
  if (config.data.flip) throw ConfigError("data.flip is true, which is not written. Leave it out.");
  const fs::path folder = line.extras.at("output").back();
  const ShardedDataset dataset = open_dataset(config.data);
  config.model = resolve_model(config.model, dataset);
  const auto network = make_network(config.model);
  initialise_weights(*network, static_cast<std::uint64_t>(config.run.seed));

  check_output(folder);
  fs::create_directories(folder);
  ModelFile file;
  file.model = config.model;
  file.diffusion = config.diffusion;
  file.class_names = class_names_of(dataset, config.model);
  file.tensors = named_weights(*network);
  write_diffusers(file, folder / "model");
  write_safetensors(
      folder / "batches.safetensors",
      batches_of(config, *network, dataset, number(line, "batches"), number(line, "drawn")));
  write_file_atomically(folder / "config.toml", to_toml(config, train_sections()));
}

Job start_job() {
  return {program(), &write_start, [](JobContext& context) {
            write_start(context.line);
            return JobEnd{};
          }};
}

}  // namespace
}  // namespace effuse::benchmark

int main(int argc, char** argv) {
  return effuse::run_job(effuse::benchmark::start_job(), argc, argv);
}
