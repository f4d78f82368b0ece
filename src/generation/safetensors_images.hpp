#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace effuse {

/// The tensor `images` of a safetensors file, [N, …]; undefined where the file is absent or
/// damaged, which is said in the log. A file without write_images()'s checksum is believed.
at::Tensor images_in(const std::filesystem::path& file);

/// The same, but mapped (map_safetensors()) and without a look at the checksum.
at::Tensor map_images(const std::filesystem::path& file);

/// Whether there are images with the checksum they should have. Reads them all, keeps none; what is
/// wrong is said in the log.
bool are_intact(const std::filesystem::path& file);

/// Writes such a file, whole or not at all, with its folders. Its metadata has the CRC-32C of the
/// tensor's bytes.
void write_images(const std::filesystem::path& file, const at::Tensor& images);

}  // namespace effuse
