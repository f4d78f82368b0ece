#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "exchange/pickle_value.hpp"

namespace effuse {

/// The raw elements in a file of torch.save, by the keys of PickleStorage. Every function throws
/// CheckpointError naming the file, so for a key it does not hold.
class TorchStorages {
 public:
  virtual ~TorchStorages() = default;

  /// "archive/data/0": what messages call the storage.
  virtual std::string name(const std::string& key) const = 0;

  virtual std::uint64_t size_bytes(const std::string& key) const = 0;

  /// Reads a storage into `out`, of exactly its size.
  virtual void read(const std::string& key, std::span<std::byte> out) const = 0;
};

/// What a file of torch.save consists of, whichever its form.
struct TorchParts {
  PickleDocument document;
  std::unique_ptr<TorchStorages> storages;
};

}  // namespace effuse
