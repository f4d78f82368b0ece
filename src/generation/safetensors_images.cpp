#include "generation/safetensors_images.hpp"

#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr const char* kChecksum = "images_crc32c";

std::string checksum_of(const at::Tensor& images) {
  const at::Tensor plain = images.cpu().contiguous();
  return cat(crc32c(bytes_of(plain)));
}

/// The format itself has no checksum.
void require_undamaged(const std::filesystem::path& file, const SafetensorsMetadata& metadata,
                       const at::Tensor& images) {
  const auto checksum = metadata.find(kChecksum);
  if (checksum == metadata.end() || checksum->second == checksum_of(images)) return;
  throw CheckpointError(cat(file.string(), " is damaged: its images have another checksum than ",
                            kChecksum, " says"));
}

/// The tensor `images`; undefined where there is none, which is said in the log.
at::Tensor find_images(const SafetensorsFile& contents, const std::filesystem::path& file) {
  for (const auto& [name, tensor] : contents.tensors) {
    if (name == "images" && tensor.dim() == 4) return tensor;
  }
  log::local_warning(file.string(), " holds no images. It is made again.");
  return {};
}

enum class Check { checksum, header };

at::Tensor open_images(const std::filesystem::path& file,
                       SafetensorsFile (*open)(const std::filesystem::path&), Check check) {
  if (!std::filesystem::exists(file)) return {};
  try {
    const SafetensorsFile contents = open(file);
    const at::Tensor images = find_images(contents, file);
    if (images.defined() && check == Check::checksum) {
      require_undamaged(file, contents.metadata, images);
    }
    return images;
  } catch (const CheckpointError& error) {
    log::local_warning(error.what(), ". It is made again.");
    return {};
  }
}

}  // namespace

at::Tensor images_in(const std::filesystem::path& file) {
  return open_images(file, &read_safetensors, Check::checksum);
}

at::Tensor map_images(const std::filesystem::path& file) {
  return open_images(file, &map_safetensors, Check::header);
}

bool are_intact(const std::filesystem::path& file) {
  return open_images(file, &map_safetensors, Check::checksum).defined();
}

void write_images(const std::filesystem::path& file, const at::Tensor& images) {
  std::filesystem::create_directories(file.parent_path());
  const std::filesystem::path temporary = temporary_sibling(file);
  const TemporaryPath guard(temporary);
  write_safetensors(temporary, {{"images", images}}, {{kChecksum, checksum_of(images)}});
  rename_durably(temporary, file);
}

}  // namespace effuse
