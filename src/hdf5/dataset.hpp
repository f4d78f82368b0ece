#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hdf5/handle.hpp"

namespace effuse::hdf5 {

enum class Element { uint8, uint32, int64 };

template <class T>
constexpr Element element_of();
template <>
constexpr Element element_of<std::uint8_t>() {
  return Element::uint8;
}
template <>
constexpr Element element_of<std::uint32_t>() {
  return Element::uint32;
}
template <>
constexpr Element element_of<std::int64_t>() {
  return Element::int64;
}

/// A numeric dataset of an open File. One thread at a time; errors are those of throw_error().
class Dataset {
 public:
  /// For File alone. `name` is "FILE:/dataset", for messages.
  Dataset(Handle handle, std::string name);

  const std::vector<std::uint64_t>& shape() const { return shape_; }

  /// Throws DataError where elements are stored as another type.
  void expect(Element element) const;

  /// Writes whole rows (slices of the first dimension) from `first_row` on. T is uint8_t, uint32_t
  /// or int64_t, and the type of the dataset.
  template <class T>
  void write_rows(std::uint64_t first_row, std::span<const T> values);

  template <class T>
  void read_rows(std::uint64_t first_row, std::span<T> values) const;

  /// The whole dataset.
  template <class T>
  std::vector<T> read_all() const;

  /// Where the first element lies in the file, in bytes. Throws DataError where the layout is not
  /// contiguous.
  std::uint64_t file_offset() const;

 private:
  struct Selection;
  Selection select_rows(std::uint64_t first_row, std::size_t element_count) const;
  std::uint64_t row_elements() const;

  Handle handle_;
  std::string name_;
  std::vector<std::uint64_t> shape_;
};

}  // namespace effuse::hdf5
