#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "hdf5/dataset.hpp"
#include "hdf5/handle.hpp"

namespace effuse::hdf5 {

/// An HDF5 file, its datasets below "/" and the attributes of "/". One thread at a time.
/// Every function throws DataError with the file and HDF5's error stack, or std::system_error where
/// the operating system refused (no space left, …).
class File {
 public:
  /// A new file, replacing what is there. Equal content gives equal bytes: no time stamps, one
  /// fixed file format (HDF5 1.8).
  static File create(const std::filesystem::path& path);

  /// For reading. Takes no lock, which network file systems may refuse.
  static File open(const std::filesystem::path& path);

  /// A contiguous dataset whose space is allocated, and not filled, at once.
  Dataset create_dataset(const std::string& name, Element element,
                         const std::vector<std::uint64_t>& shape);
  Dataset open_dataset(const std::string& name) const;

  /// A one-dimensional dataset of UTF-8 strings. A string ends at its first zero byte.
  void write_strings(const std::string& name, std::span<const std::string> values);
  std::vector<std::string> read_strings(const std::string& name) const;

  void set_attribute(const std::string& name, std::int64_t value);
  void set_attribute(const std::string& name, const std::string& value);
  void set_attribute(const std::string& name, std::span<const std::string> values);
  std::int64_t integer_attribute(const std::string& name) const;
  std::string string_attribute(const std::string& name) const;
  std::vector<std::string> string_list_attribute(const std::string& name) const;

  /// Hands everything to the operating system and closes. Datasets must be gone by now.
  void close();

 private:
  File(Handle handle, std::filesystem::path path);

  std::string named(const std::string& object) const;
  Handle create_attribute(const std::string& name, const Handle& type, const Handle& space);
  Handle open_attribute(const std::string& name) const;

  Handle handle_;
  std::filesystem::path path_;
};

}  // namespace effuse::hdf5
