#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "exchange/pickle_value.hpp"
#include "exchange/torch_storages.hpp"

namespace effuse {

/// A file of torch.save of any age: a value, read by read_pickle(), and storages. Every function
/// throws CheckpointError naming the file.
class TorchFile {
 public:
  explicit TorchFile(const std::filesystem::path& path);

  /// Whether the file begins as one of torch.save does, or any other pickle.
  static bool is_one(const std::filesystem::path& path);

  const PickleNode& root() const { return *parts_.document.root; }

  /// The tensor, contiguous, owning. `name` is for messages. Refuses one that reaches beyond its
  /// storage or is larger than it.
  at::Tensor tensor(const PickleTensor& described, const std::string& name);

 private:
  [[noreturn]] void reject(const std::string& problem) const;
  at::Tensor storage(const PickleStorage& described, const std::string& name);

  std::filesystem::path path_;
  TorchParts parts_;
  std::map<std::string, at::Tensor> storages_;  ///< read so far, by key
};

}  // namespace effuse
