#include "app/convert_job.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "core/shell_word.hpp"
#include "core/text.hpp"
#include "diffusion/schedule.hpp"
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

/// All formats but IDDM's say of themselves what these keys say.
void require_nothing_said(const std::vector<std::string>& overridden, WeightsFormat from) {
  for (const std::string& key : overridden) {
    const bool of_iddm =
        key.starts_with("diffusion.") || key == "convert.act_fn" || key == "convert.sample_size";
    if (!of_iddm) continue;
    throw ConfigError(cat(key, " is for .pt files of IDDM, which do not say it; the input is ",
                          name_of(from), " and says it itself. Leave the key out."));
  }
}

/// Reads and checks everything; what is left is to write.
ModelFile prepare(const CommandLine& line) {
  const Config& config = line.config;
  const ConvertConfig& convert = config.convert;
  check_output(convert.output);
  const ReadOptions options{.kind = weights_kind_from(convert.weights),
                            .diffusion = config.diffusion,
                            .act_fn = convert.act_fn,
                            .sample_size = convert.sample_size};
  const WeightsFormat from = input_format(convert);
  if (from != WeightsFormat::iddm) require_nothing_said(line.overridden, from);
  ModelFile file = read_model(convert.input, from, options);
  require_fitting(file);
  Schedule{file.diffusion};
  if (output_format(convert) == WeightsFormat::diffusers) check_diffusers_export(file);
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
  log::info("next        effuse-sample --weights ", shell_word(convert.output), " --output samples",
            file.class_names.empty() || file.model.null_class ? "" : " --guidance 1");
}

JobEnd run_conversion(JobContext& context) {
  if (context.session.world_size() > 1) {
    throw ConfigError("effuse-convert is one process. Start it without mpirun or srun.");
  }
  const ConvertConfig& convert = context.line.config.convert;
  const ModelFile file = prepare(context.line);
  describe(file, convert);
  write(file, convert);
  return {};
}

void check_conversion(const CommandLine& line) {
  describe(prepare(line), line.config.convert);
  log::info("ok: can be written to ", line.config.convert.output, " (",
            name_of(output_format(line.config.convert)), ")");
}

}  // namespace

Job convert_job() { return {convert_program(), &check_conversion, &run_conversion}; }

}  // namespace effuse
