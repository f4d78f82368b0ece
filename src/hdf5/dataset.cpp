#include "hdf5/dataset.hpp"

#include <hdf5.h>

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "hdf5/types.hpp"

namespace effuse::hdf5 {

struct Dataset::Selection {
  Handle file;
  Handle memory;
};

Dataset::Dataset(Handle handle, std::string name)
    : handle_(std::move(handle)), name_(std::move(name)) {
  const Handle space(H5Dget_space(handle_.get()), &H5Sclose, cat("cannot read shape of ", name_));
  const int rank = H5Sget_simple_extent_ndims(space.get());
  check(rank, cat("cannot read shape of ", name_));
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr),
        cat("cannot read shape of ", name_));
  shape_.assign(extent.begin(), extent.end());
}

void Dataset::expect(Element element) const {
  const Handle type(H5Dget_type(handle_.get()), &H5Tclose, cat("cannot read type of ", name_));
  if (H5Tequal(type.get(), file_type(element)) <= 0) {
    throw DataError(cat(name_, " holds elements of another type than ", name_of(element)));
  }
}

std::uint64_t Dataset::row_elements() const {
  std::uint64_t elements = 1;
  for (std::size_t i = 1; i < shape_.size(); ++i) elements *= shape_[i];
  return elements;
}

Dataset::Selection Dataset::select_rows(std::uint64_t first_row, std::size_t element_count) const {
  const std::uint64_t row = row_elements();
  if (shape_.empty() || row == 0 || element_count % row != 0) {
    throw DataError(cat(name_, " cannot be accessed by ", element_count,
                        " elements (its rows have ", row, ")"));
  }
  std::vector<hsize_t> start(shape_.size(), 0);
  std::vector<hsize_t> count(shape_.begin(), shape_.end());
  start[0] = first_row;
  count[0] = element_count / row;
  const std::string what = cat("cannot select rows of ", name_);
  Selection selection{Handle(H5Dget_space(handle_.get()), &H5Sclose, what), Handle()};
  check(H5Sselect_hyperslab(selection.file.get(), H5S_SELECT_SET, start.data(), nullptr,
                            count.data(), nullptr),
        what);
  if (H5Sselect_valid(selection.file.get()) <= 0) {
    throw DataError(cat(name_, " has ", shape_[0], " rows; rows ", first_row, " to ",
                        first_row + count[0], " lie outside"));
  }
  selection.memory = Handle(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                            &H5Sclose, what);
  return selection;
}

template <class T>
void Dataset::write_rows(std::uint64_t first_row, std::span<const T> values) {
  silence();
  if (values.empty()) return;
  expect(element_of<T>());
  const Selection selection = select_rows(first_row, values.size());
  check(H5Dwrite(handle_.get(), memory_type(element_of<T>()), selection.memory.get(),
                 selection.file.get(), H5P_DEFAULT, values.data()),
        cat("cannot write ", name_));
}

template <class T>
void Dataset::read_rows(std::uint64_t first_row, std::span<T> values) const {
  silence();
  if (values.empty()) return;
  expect(element_of<T>());
  const Selection selection = select_rows(first_row, values.size());
  check(H5Dread(handle_.get(), memory_type(element_of<T>()), selection.memory.get(),
                selection.file.get(), H5P_DEFAULT, values.data()),
        cat("cannot read ", name_));
}

template <class T>
std::vector<T> Dataset::read_all() const {
  std::vector<T> values(shape_.empty() ? 0 : shape_[0] * row_elements());
  read_rows<T>(0, values);
  return values;
}

std::uint64_t Dataset::file_offset() const {
  silence();
  const haddr_t offset = H5Dget_offset(handle_.get());
  if (offset == HADDR_UNDEF) {
    throw DataError(cat(name_, " is not stored as one contiguous block (it was not written by ",
                        "effuse-pack, which lets images be read without HDF5)"));
  }
  return offset;
}

template void Dataset::write_rows(std::uint64_t, std::span<const std::uint8_t>);
template void Dataset::write_rows(std::uint64_t, std::span<const std::uint32_t>);
template void Dataset::write_rows(std::uint64_t, std::span<const std::int64_t>);
template void Dataset::read_rows(std::uint64_t, std::span<std::uint8_t>) const;
template void Dataset::read_rows(std::uint64_t, std::span<std::uint32_t>) const;
template void Dataset::read_rows(std::uint64_t, std::span<std::int64_t>) const;
template std::vector<std::uint8_t> Dataset::read_all() const;
template std::vector<std::uint32_t> Dataset::read_all() const;
template std::vector<std::int64_t> Dataset::read_all() const;

}  // namespace effuse::hdf5
