#include "exchange/torch_file.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <span>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/legacy_torch_file.hpp"
#include "exchange/torch_archive.hpp"
#include "exchange/zip_archive.hpp"

namespace effuse {
namespace {

/// Begins with a pickle of any protocol from 2, whoever wrote it.
bool is_pickle(const std::filesystem::path& path) {
  std::array<char, 2> first{};
  std::ifstream in(path, std::ios::binary);
  in.read(first.data(), first.size());
  return in && first[0] == '\x80' && first[1] >= 2 && first[1] <= 5;
}

TorchParts open_parts(const std::filesystem::path& path) {
  if (is_legacy_torch_file(path)) return open_legacy_torch_file(path);
  if (is_pickle(path)) {
    throw CheckpointError(
        cat(path.string(),
            " is a bare pickle, without the magic number of torch.save, which cannot be read "
            "without executing it. Save its weights again with torch.save"));
  }
  return open_torch_archive(path);
}

/// The place of the last element and the number of elements; empty where either overflows.
struct Extent {
  std::int64_t last = 0;
  std::int64_t count = 1;
};

std::optional<Extent> extent_of(const PickleTensor& tensor) {
  Extent extent{tensor.offset, 1};
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (__builtin_mul_overflow(extent.count, tensor.sizes[i], &extent.count)) return std::nullopt;
  }
  if (extent.count == 0) return extent;
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(tensor.sizes[i] - 1, tensor.strides[i], &reach) ||
        __builtin_add_overflow(extent.last, reach, &extent.last)) {
      return std::nullopt;
    }
  }
  return extent;
}

bool has_negative(const std::vector<std::int64_t>& numbers) {
  return std::any_of(numbers.begin(), numbers.end(), [](std::int64_t n) { return n < 0; });
}

}  // namespace

TorchFile::TorchFile(const std::filesystem::path& path) : path_(path), parts_(open_parts(path)) {}

bool TorchFile::is_one(const std::filesystem::path& path) {
  return ZipArchive::is_one(path) || is_pickle(path);
}

void TorchFile::reject(const std::string& problem) const {
  throw CheckpointError(cat(path_.string(), " is no file of torch.save: ", problem));
}

at::Tensor TorchFile::storage(const PickleStorage& described, const std::string& name) {
  const auto known = storages_.find(described.key);
  if (known != storages_.end()) {
    if (known->second.scalar_type() != described.type || known->second.numel() != described.count) {
      reject(cat("storage ", described.key, " of tensor ", name, " is described in two ways"));
    }
    return known->second;
  }
  const std::uint64_t held_bytes = parts_.storages->size_bytes(described.key);
  std::int64_t size_bytes = 0;
  if (described.count < 0 ||
      __builtin_mul_overflow(described.count,
                             static_cast<std::int64_t>(c10::elementSize(described.type)),
                             &size_bytes) ||
      held_bytes != static_cast<std::uint64_t>(size_bytes)) {
    reject(cat("tensor ", name, " claims a storage of ", described.count, " elements, but ",
               parts_.storages->name(described.key), " has ", held_bytes, " bytes"));
  }
  at::Tensor storage = at::empty({described.count}, described.type);
  parts_.storages->read(described.key,
                        std::span(static_cast<std::byte*>(storage.mutable_data_ptr()),
                                  static_cast<std::size_t>(size_bytes)));
  storages_.emplace(described.key, storage);
  return storage;
}

at::Tensor TorchFile::tensor(const PickleTensor& described, const std::string& name) {
  constexpr std::size_t kMaxDimensions = 16;
  if (described.sizes.size() != described.strides.size() ||
      described.sizes.size() > kMaxDimensions || described.offset < 0 ||
      has_negative(described.sizes) || has_negative(described.strides)) {
    reject(cat("tensor ", name, " has sizes, strides or an offset that cannot be"));
  }
  const auto extent = extent_of(described);
  if (!extent || extent->count > described.storage.count ||
      (extent->count > 0 && extent->last >= described.storage.count)) {
    reject(cat("tensor ", name, " reaches beyond its storage of ", described.storage.count,
               " elements"));
  }
  return storage(described.storage, name)
      .as_strided(described.sizes, described.strides, described.offset)
      .clone(at::MemoryFormat::Contiguous);
}

}  // namespace effuse
