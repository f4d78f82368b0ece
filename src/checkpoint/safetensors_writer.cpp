#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <set>

#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_types.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kAlignment = 8;

/// The length of the header, as the format begins with it.
std::string little_endian(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

Json entry_of(const at::Tensor& tensor, std::uint64_t begin) {
  return {{"dtype", safetensors_type(tensor.scalar_type())},
          {"shape", tensor.sizes().vec()},
          {"data_offsets", {begin, begin + tensor.nbytes()}}};
}

/// The header without its length, padded with spaces so that the data begin aligned.
std::string header_of(const std::string& file, const NamedTensors& tensors,
                      const SafetensorsMetadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto reject = [&file, &tensor_name = name](const std::string& problem) {
      throw CheckpointError(cat("cannot write ", file, ": tensor ", tensor_name, " ", problem));
    };
    if (!tensor.defined()) reject("is undefined");
    if (name == "__metadata__" || !names.insert(name).second) {
      reject("has a name that is taken (names are the keys of the file)");
    }
    if (safetensors_type(tensor.scalar_type()).empty()) {
      reject(cat("is of type ", c10::toString(tensor.scalar_type()),
                 ", which the safetensors format has not"));
    }
    header[name] = entry_of(tensor, offset);
    offset += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

}  // namespace

FileRecord write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                             const SafetensorsMetadata& metadata,
                             const FileOperations& operations) {
  std::string header;
  try {
    header = header_of(path.string(), tensors, metadata);
  } catch (const nlohmann::json::exception& error) {  // text that is not UTF-8
    throw CheckpointError(cat("cannot write ", path.string(), ": ", error.what()));
  }
  OutputFile file(path, operations);
  file.write(little_endian(header.size()));
  file.write(header);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().cpu().contiguous();
    file.write(bytes_of(plain));
  }
  return file.finish();
}

}  // namespace effuse
