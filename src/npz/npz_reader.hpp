#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "npz/npy_header.hpp"

namespace effuse {

/// The arrays in a .npz file, as numpy.savez and numpy.savez_compressed write them. Every function
/// throws DataError naming the file and the array. One thread at a time.
class NpzReader {
 public:
  explicit NpzReader(std::filesystem::path path);
  ~NpzReader();
  NpzReader(NpzReader&&) noexcept;
  NpzReader& operator=(NpzReader&&) noexcept;

  const std::filesystem::path& path() const;

  /// Without ".npy", in the order of the file.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const;

  ArrayInfo info(const std::string& name) const;

  /// A whole array into `out`, of exactly its size.
  void read(const std::string& name, std::span<std::byte> out) const;

  /// A text without shape, as NpzWriter::add_text() writes it; ASCII alone.
  std::string read_text(const std::string& name) const;

  /// Entries [first, first + count) along the first dimension. Goes on where the last call for this
  /// array ended, if it can: a compressed array is decompressed from its start to go back.
  void read_rows(const std::string& name, std::int64_t first, std::int64_t count,
                 std::span<std::byte> out);

  /// Compares the array with its CRC-32, as read() does and read_rows(), which sees a part, cannot.
  /// A pass over the whole array, a MiB of it in memory at a time.
  void verify(const std::string& name) const;

 private:
  struct Archive;
  struct Stream;

  std::unique_ptr<Archive> archive_;
  std::unique_ptr<Stream> stream_;  ///< of read_rows(); destroyed before its archive
};

}  // namespace effuse
