#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/formats.hpp"
#include "exchange/output_path.hpp"

namespace effuse {
namespace {

constexpr const char* kStateKey = "effuse";  // in the metadata: the text of a state.json

}  // namespace

ModelFile read_safetensors_model(const std::filesystem::path& path) {
  SafetensorsFile read = read_safetensors(path);
  const auto state = read.metadata.find(kStateKey);
  if (state == read.metadata.end()) {
    throw CheckpointError(
        cat(path.string(),
            " does not say which network and schedule its tensors are of (its metadata lack \"",
            kStateKey,
            "\", which effuse-convert writes). Convert the whole it was taken from, or "
            "train from it with model.pretrained"));
  }
  ModelFile file;
  file.format = WeightsFormat::safetensors;
  const std::string where = cat(path.string(), "'s metadata");
  apply_state(file, run_state_from_json(state->second, where), where);
  file.tensors = std::move(read.tensors);
  file.sha256 = sha256_of_file(path);
  return file;
}

void write_safetensors_model(const ModelFile& file, const std::filesystem::path& path) {
  write_output(path, [&](const std::filesystem::path& temporary) {
    write_safetensors(temporary, file.tensors,
                      {{"format", "pt"}, {kStateKey, to_json(state_of(file))}});
  });
}

}  // namespace effuse
