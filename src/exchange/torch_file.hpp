#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "exchange/pickle_value.hpp"
#include "exchange/zip_archive.hpp"

namespace effuse {

/// A file of torch.save, of torch 1.6 or later: a zip file with data.pkl, read by read_pickle(),
/// and the storages data/<key>. Every function throws CheckpointError naming the file.
class TorchFile {
 public:
  explicit TorchFile(const std::filesystem::path& path);

  /// Whether the file begins as one of torch.save does, of any age.
  static bool is_one(const std::filesystem::path& path);

  const PickleNode& root() const { return *document_.root; }

  /// The tensor, contiguous, owning. `name` is for messages. Refuses one that reaches beyond its
  /// storage or is larger than it.
  at::Tensor tensor(const PickleTensor& described, const std::string& name);

 private:
  [[noreturn]] void reject(const std::string& problem) const;
  at::Tensor storage(const PickleStorage& described, const std::string& name);
  void check_byte_order() const;

  std::filesystem::path path_;
  ZipArchive archive_;
  std::string prefix_;  ///< "archive/"
  PickleDocument document_;
  std::map<std::string, at::Tensor> storages_;  ///< read so far, by key
};

}  // namespace effuse
