#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/diffusers_config.hpp"
#include "exchange/diffusers_folder.hpp"
#include "exchange/diffusers_scheduler.hpp"
#include "exchange/formats.hpp"
#include "exchange/output_path.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kMadeFor = "0.42.1";  // the release whose settings are written

void write_text(const fs::path& path, const std::string& text) {
  const FileOperations operations;
  OutputFile out(path, operations);
  out.write(text);
  out.finish();
}

void write_json(const fs::path& path, Json json) {
  json["_diffusers_version"] = kMadeFor;
  write_text(path, json.dump(2) + "\n");
}

void write_folder(const ModelFile& file, const fs::path& folder) {
  fs::create_directories(folder / kDiffusersUnet);
  fs::create_directories((folder / kDiffusersScheduler).parent_path());
  write_safetensors(folder / kDiffusersUnet / kDiffusersWeights, file.tensors, {{"format", "pt"}});
  write_json(folder / kDiffusersUnet / kDiffusersConfig, model_to_diffusers(file.model));
  write_json(folder / kDiffusersScheduler, diffusion_to_diffusers(file.diffusion));
  write_text(folder / kDiffusersOwnState, to_json(state_of(file)));
  write_json(folder / kDiffusersIndex, {{"_class_name", "DDPMPipeline"},
                                        {"scheduler", {"diffusers", "DDPMScheduler"}},
                                        {"unet", {"diffusers", "UNet2DModel"}}});
}

}  // namespace

void check_diffusers_export(const ModelFile& file) {
  if (file.model.name != "unet2d") {
    throw ConfigError(cat("diffusers has no network like ", file.model.name,
                          ", so it cannot be written for it. Use --to safetensors"));
  }
  diffusion_to_diffusers(file.diffusion);
}

void write_diffusers(const ModelFile& file, const fs::path& path) {
  check_diffusers_export(file);
  write_output(path, [&](const fs::path& folder) { write_folder(file, folder); });
}

}  // namespace effuse
