#include "exchange/torch_file.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/pickle_reader.hpp"

namespace effuse {
namespace {

constexpr std::string_view kPickle = "data.pkl";

/// Begins with a pickle of any protocol from 2: torch.save before 1.6, or an array of Python's own.
bool is_bare_pickle(const std::filesystem::path& path) {
  std::array<char, 2> first{};
  std::ifstream in(path, std::ios::binary);
  in.read(first.data(), first.size());
  return in && first[0] == '\x80' && first[1] >= 2 && first[1] <= 5;
}

ZipArchive open_archive(const std::filesystem::path& path) {
  if (is_bare_pickle(path)) {
    throw CheckpointError(
        cat(path.string(),
            " is of torch before 1.6, or a bare pickle, which cannot be read without executing it. "
            "Save it again with a newer torch: torch.save(torch.load(\"old.pt\", "
            "weights_only=True), \"new.pt\")"));
  }
  return ZipArchive(path);
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

TorchFile::TorchFile(const std::filesystem::path& path)
    : path_(path), archive_(open_archive(path)) {
  for (const std::string& name : archive_.names()) {
    if (!name.ends_with(kPickle)) continue;
    const std::string prefix = name.substr(0, name.size() - kPickle.size());
    if (std::count(prefix.begin(), prefix.end(), '/') > 1) continue;
    if (!prefix_.empty()) reject("it holds data.pkl twice");
    prefix_ = prefix;
  }
  if (!archive_.has(cat(prefix_, kPickle))) reject("it is a zip file without data.pkl");
  check_byte_order();
  document_ =
      read_pickle(archive_.read_text(cat(prefix_, kPickle)), cat(path_.string(), ": data.pkl"));
}

bool TorchFile::is_one(const std::filesystem::path& path) {
  return ZipArchive::is_one(path) || is_bare_pickle(path);
}

void TorchFile::reject(const std::string& problem) const {
  throw CheckpointError(cat(path_.string(), " is no file of torch.save: ", problem));
}

void TorchFile::check_byte_order() const {
  const std::string record = prefix_ + "byteorder";
  if (!archive_.has(record) || archive_.read_text(record) == "little") return;
  reject(
      "its numbers are big-endian, which Effuse does not read. Save it again on another machine");
}

at::Tensor TorchFile::storage(const PickleStorage& described, const std::string& name) {
  const auto known = storages_.find(described.key);
  if (known != storages_.end()) {
    if (known->second.scalar_type() != described.type || known->second.numel() != described.count) {
      reject(cat("storage ", described.key, " of tensor ", name, " is described in two ways"));
    }
    return known->second;
  }
  const std::string record = cat(prefix_, "data/", described.key);
  std::int64_t size_bytes = 0;
  if (described.count < 0 ||
      __builtin_mul_overflow(described.count,
                             static_cast<std::int64_t>(c10::elementSize(described.type)),
                             &size_bytes) ||
      archive_.size_bytes(record) != static_cast<std::uint64_t>(size_bytes)) {
    reject(cat("tensor ", name, " claims a storage of ", described.count, " elements, but ", record,
               " has ", archive_.size_bytes(record), " bytes"));
  }
  at::Tensor storage = at::empty({described.count}, described.type);
  archive_.read(record, std::span(static_cast<std::byte*>(storage.mutable_data_ptr()),
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
