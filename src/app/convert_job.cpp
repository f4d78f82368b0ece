#include "app/convert_job.hpp"

#include <algorithm>
#include <string>

#include "core/log.hpp"
#include "core/text.hpp"
#include "exchange/formats.hpp"
#include "exchange/model_file.hpp"

namespace effuse {
namespace {

Program convert_program() {
  return {.name = "effuse-convert",
          .summary =
              "Imports weights from IDDM (.pt) and diffusers (folder), and writes them for "
              "effuse-sample, for diffusers, or as one safetensors file. Nothing in a .pt file is "
              "ever executed.",
          .examples =
              "  effuse-convert --input ckpt_last.pt --output imported\n"
              "  effuse-convert --input ddpm-cifar10-32 --output cifar10\n"
              "  effuse-convert --input runs/faces --to diffusers --output faces-diffusers\n"
              "  effuse-convert --input runs/faces --output faces.safetensors\n"
              "  effuse-convert --input old.pt --output old --weights model \\\n"
              "      --set diffusion.schedule=cosine\n",
          .sections = {"convert", "diffusion"},
          .key_flags = {{"--input", "convert.input"},
                        {"--output", "convert.output"},
                        {"--from", "convert.from"},
                        {"--to", "convert.to"},
                        {"--weights", "convert.weights"}},
          .extra_flags = {}};
}

WeightsFormat input_format(const ConvertConfig& convert) {
  if (convert.input.empty()) throw ConfigError("convert.input is not set. Give --input PATH.");
  return convert.from == "auto" ? detect_format(convert.input) : weights_format_from(convert.from);
}

WeightsFormat output_format(const ConvertConfig& convert) {
  if (convert.to != "auto") return weights_format_from(convert.to);
  return std::filesystem::path(convert.output).extension() == ".safetensors"
             ? WeightsFormat::safetensors
             : WeightsFormat::effuse;
}

std::string count(std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); }

std::string classes_of(const ModelFile& file) {
  constexpr std::size_t kShown = 10;
  if (file.class_names.empty()) return "none";
  std::string list = cat(file.class_names.size(), ":");
  for (std::size_t i = 0; i < std::min(file.class_names.size(), kShown); ++i) {
    list += cat(i == 0 ? " " : ", ", file.class_names[i]);
  }
  return file.class_names.size() > kShown ? list + ", …" : list;
}

void describe(const ModelFile& file, const ConvertConfig& convert) {
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : file.tensors) parameters += tensor.numel();
  for (const std::string& warning : file.warnings) log::warning(warning);
  log::info("input       ", convert.input, " (", name_of(file.format), ")");
  log::info("network     ", file.model.name, ", ", count(parameters), " parameters, images of ",
            file.model.sample_size, "x", file.model.sample_size, "x", file.model.in_channels);
  log::info("classes     ", classes_of(file));
  log::info("schedule    ", file.diffusion.schedule, " over ", count(file.diffusion.timesteps),
            " steps, predicts ", file.diffusion.prediction);
  for (const std::string& note : file.notes) log::info("note        ", note);
}

/// Reads and checks everything; what is left is to write.
ModelFile prepare(const Config& config) {
  const ConvertConfig& convert = config.convert;
  check_output(convert.output);
  const ReadOptions options{.kind = weights_kind_from(convert.weights),
                            .diffusion = config.diffusion,
                            .act_fn = convert.act_fn,
                            .sample_size = config.model.sample_size};
  ModelFile file = read_model(convert.input, input_format(convert), options);
  require_fitting(file);
  if (output_format(convert) == WeightsFormat::diffusers) check_diffusers_export(file);
  if (output_format(convert) == WeightsFormat::iddm) {
    throw ConfigError("convert.to is iddm, which Effuse reads but does not write");
  }
  return file;
}

void write(const ModelFile& file, const ConvertConfig& convert) {
  const WeightsFormat format = output_format(convert);
  if (format == WeightsFormat::diffusers) {
    write_diffusers(file, convert.output);
    if (!file.class_names.empty()) {
      log::info(
          "note        DDPMPipeline gives its network no labels: in diffusers, call "
          "pipeline.unet with class_labels",
          file.model.null_class ? " (the last one is the null class)" : "");
    }
  } else if (format == WeightsFormat::safetensors) {
    write_safetensors_model(file, convert.output);
  } else {
    write_effuse(file, convert.output);
  }
  log::info("output      ", convert.output, " (", name_of(format), ")");
  log::info("next        effuse-sample --weights ", convert.output, " --output samples",
            file.class_names.empty() || file.model.null_class ? "" : " --guidance 1");
}

JobEnd run_conversion(JobContext& context) {
  if (context.session.world_size() > 1) {
    throw ConfigError("effuse-convert is one process. Start it without mpirun or srun.");
  }
  const Config& config = context.line.config;
  const ModelFile file = prepare(config);
  describe(file, config.convert);
  write(file, config.convert);
  return {};
}

void check_conversion(const CommandLine& line) {
  describe(prepare(line.config), line.config.convert);
  log::info("ok: can be written to ", line.config.convert.output, " (",
            name_of(output_format(line.config.convert)), ")");
}

}  // namespace

Job convert_job() { return {convert_program(), &check_conversion, &run_conversion}; }

}  // namespace effuse
