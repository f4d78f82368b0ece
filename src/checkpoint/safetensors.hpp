#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/file_operations.hpp"

/// The safetensors format (github.com/huggingface/safetensors): eight bytes little-endian length of
/// a JSON header {name: {dtype, shape, data_offsets}}, the header, the tensors' bytes back to back.
namespace effuse {

/// Tensors in a fixed order, by name.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// The header's "__metadata__".
using SafetensorsMetadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  NamedTensors tensors;  ///< in the order of their bytes, on the CPU, contiguous, owning
  SafetensorsMetadata metadata;
};

/// Writes `path` and flushes it to the disk; not atomic, for use in a folder that is. Tensors of
/// any device and strides, types F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL; one tensor at a time is
/// copied where it is not contiguous on the CPU. Throws CheckpointError for a name given twice or a
/// type the format has not, std::system_error where writing fails.
FileRecord write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                             const SafetensorsMetadata& metadata = {},
                             const FileOperations& operations = FileOperations());

/// Reads and checks everything the header says against the file. Throws CheckpointError naming the
/// file, the tensor and what is wrong with it.
SafetensorsFile read_safetensors(const std::filesystem::path& path);

/// The same without reading the tensors: they are the file's own bytes, mapped, which come into
/// memory where they are looked at, once for all processes of a machine. They are not to be written
/// to, nor the file changed while they are there.
SafetensorsFile map_safetensors(const std::filesystem::path& path);

}  // namespace effuse
