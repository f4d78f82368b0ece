#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/files.hpp"
#include "npz/npy_header.hpp"

namespace effuse {

/// A new .npz file, as numpy.savez writes it: arrays in a zip file, not compressed, so that they
/// can be read from any place. Whole or absent. Throws std::system_error where the disk is full.
class NpzWriter {
 public:
  /// Fills its argument with the next bytes of an array.
  using Source = std::function<void(std::span<std::byte>)>;

  explicit NpzWriter(std::filesystem::path path);
  ~NpzWriter();
  NpzWriter(const NpzWriter&) = delete;
  NpzWriter& operator=(const NpzWriter&) = delete;

  /// Copies `bytes`, the elements of the array.
  void add(const std::string& name, const ArrayInfo& info, std::span<const std::byte> bytes);

  /// An array that need not fit into memory: `source` is asked for its bytes, piece by piece, in
  /// commit(). What it throws comes out of there.
  void add(const std::string& name, const ArrayInfo& info, Source source);

  /// A text without shape; ASCII.
  void add_text(const std::string& name, std::string_view text);

  /// Writes the file. Without it there is none.
  void commit(Flush flush = Flush::yes);

 private:
  struct Archive;

  std::unique_ptr<Archive> archive_;
};

}  // namespace effuse
