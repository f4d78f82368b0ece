#include "checkpoint/step_folder.hpp"
#include "core/text.hpp"
#include "exchange/formats.hpp"
#include "exchange/output_path.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

FileRecord write_text(const fs::path& path, const std::string& text) {
  const FileOperations operations;
  OutputFile out(path, operations);
  out.write(text);
  return out.finish();
}

void write_folder(const ModelFile& file, const fs::path& folder) {
  const FileOperations operations;
  operations.make_folder(folder);
  Manifest manifest{file.step, {}};
  manifest.files[kModelFile] =
      write_safetensors(folder / kModelFile, file.tensors, {{"format", "pt"}});
  manifest.files[kStateFile] = write_text(folder / kStateFile, to_json(state_of(file)));
  write_text(folder / kManifestFile, to_json(manifest));
  operations.sync(folder);
}

}  // namespace

ModelFile read_effuse(const fs::path& path, WeightsKind kind) {
  LoadedWeights loaded = load_weights(path, kind);
  ModelFile file;
  file.format = WeightsFormat::effuse;
  apply_state(file, loaded.state, (loaded.folder / kStateFile).string());
  file.tensors = std::move(loaded.tensors);
  file.sha256 = loaded.sha256;
  for (const std::string& damage : loaded.damaged) {
    file.warnings.push_back(cat(damage, ". Using the checkpoint of step ", file.step, " instead."));
  }
  return file;
}

void write_effuse(const ModelFile& file, const fs::path& path) {
  write_output(path, [&](const fs::path& folder) { write_folder(file, folder); });
}

}  // namespace effuse
