#include "hdf5/file.hpp"

#include <hdf5.h>

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "hdf5/types.hpp"

namespace effuse::hdf5 {
namespace {

Handle property_list(hid_t type) {
  return {H5Pcreate(type), &H5Pclose, "cannot make an HDF5 property list"};
}

Handle access_properties() {
  Handle access = property_list(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18),
        "cannot fix the version of the HDF5 format");
#if H5_VERSION_GE(1, 10, 7)
  check(H5Pset_file_locking(access.get(), 0, 1), "cannot switch off HDF5's file locking");
#endif
  return access;
}

Handle list_space(std::size_t size) {
  const hsize_t extent = size;
  return {H5Screate_simple(1, &extent, nullptr), &H5Sclose, "cannot make an HDF5 data space"};
}

Handle scalar_space() {
  return {H5Screate(H5S_SCALAR), &H5Sclose, "cannot make an HDF5 data space"};
}

/// The time stamps of objects would make equal content differ.
Handle creation_properties(hid_t type) {
  Handle list = property_list(type);
  check(H5Pset_obj_track_times(list.get(), 0), "cannot switch off HDF5's time stamps");
  return list;
}

std::vector<const char*> pointers_to(std::span<const std::string> values) {
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const std::string& value : values) pointers.push_back(value.c_str());
  return pointers;
}

/// Strings that HDF5 allocated while reading, given back when done.
class ReadStrings {
 public:
  ReadStrings(const Handle& type, const Handle& space, const std::string& what)
      : type_(type), space_(space) {
    const hssize_t count = H5Sget_simple_extent_npoints(space.get());
    check(count, what);
    pointers_.resize(static_cast<std::size_t>(count));
  }
  ~ReadStrings() {
    H5Dvlen_reclaim(type_.get(), space_.get(), H5P_DEFAULT, static_cast<void*>(pointers_.data()));
  }
  ReadStrings(const ReadStrings&) = delete;
  ReadStrings& operator=(const ReadStrings&) = delete;

  void* data() { return static_cast<void*>(pointers_.data()); }

  std::vector<std::string> copy() const {
    std::vector<std::string> values;
    values.reserve(pointers_.size());
    for (const char* pointer : pointers_) values.emplace_back(pointer == nullptr ? "" : pointer);
    return values;
  }

 private:
  const Handle& type_;
  const Handle& space_;
  std::vector<char*> pointers_;
};

}  // namespace

File::File(Handle handle, std::filesystem::path path)
    : handle_(std::move(handle)), path_(std::move(path)) {}

std::string File::named(const std::string& object) const {
  return cat(path_.string(), ":/", object);
}

File File::create(const std::filesystem::path& path) {
  silence();
  const Handle access = access_properties();
  const Handle creation = creation_properties(H5P_FILE_CREATE);
  return {Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), &H5Fclose,
                 cat("cannot create ", path.string())),
          path};
}

File File::open(const std::filesystem::path& path) {
  silence();
  const Handle access = access_properties();
  return {Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), &H5Fclose,
                 cat("cannot open ", path.string())),
          path};
}

Dataset File::create_dataset(const std::string& name, Element element,
                             const std::vector<std::uint64_t>& shape) {
  silence();
  const std::string what = cat("cannot create ", named(name));
  const Handle creation = creation_properties(H5P_DATASET_CREATE);
  check(H5Pset_layout(creation.get(), H5D_CONTIGUOUS), what);
  check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), what);
  check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), what);
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                     &H5Sclose, what);
  return {Handle(H5Dcreate2(handle_.get(), name.c_str(), file_type(element), space.get(),
                            H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                 &H5Dclose, what),
          named(name)};
}

Dataset File::open_dataset(const std::string& name) const {
  silence();
  return {Handle(H5Dopen2(handle_.get(), name.c_str(), H5P_DEFAULT), &H5Dclose,
                 cat("cannot open ", named(name))),
          named(name)};
}

void File::write_strings(const std::string& name, std::span<const std::string> values) {
  silence();
  const std::string what = cat("cannot write ", named(name));
  const Handle creation = creation_properties(H5P_DATASET_CREATE);
  const Handle type = string_type();
  const Handle space = list_space(values.size());
  Handle dataset(H5Dcreate2(handle_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT,
                            creation.get(), H5P_DEFAULT),
                 &H5Dclose, what);
  const std::vector<const char*> pointers = pointers_to(values);
  if (!pointers.empty()) {
    check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   static_cast<const void*>(pointers.data())),
          what);
  }
  dataset.close(what);
}

std::vector<std::string> File::read_strings(const std::string& name) const {
  silence();
  const std::string what = cat("cannot read ", named(name));
  const Handle dataset(H5Dopen2(handle_.get(), name.c_str(), H5P_DEFAULT), &H5Dclose, what);
  const Handle space(H5Dget_space(dataset.get()), &H5Sclose, what);
  const Handle type = string_type();
  ReadStrings strings(type, space, what);
  check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, strings.data()), what);
  return strings.copy();
}

Handle File::create_attribute(const std::string& name, const Handle& type, const Handle& space) {
  silence();
  return {
      H5Acreate2(handle_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
      &H5Aclose, cat("cannot create attribute ", name, " of ", path_.string())};
}

Handle File::open_attribute(const std::string& name) const {
  silence();
  return {H5Aopen(handle_.get(), name.c_str(), H5P_DEFAULT), &H5Aclose,
          cat("cannot read attribute ", name, " of ", path_.string())};
}

void File::set_attribute(const std::string& name, std::int64_t value) {
  const Handle type(H5Tcopy(H5T_STD_I64LE), &H5Tclose, "cannot copy an HDF5 type");
  const Handle attribute = create_attribute(name, type, scalar_space());
  check(H5Awrite(attribute.get(), H5T_NATIVE_INT64, &value),
        cat("cannot write attribute ", name, " of ", path_.string()));
}

void File::set_attribute(const std::string& name, const std::string& value) {
  const Handle type = string_type();
  const Handle attribute = create_attribute(name, type, scalar_space());
  const char* pointer = value.c_str();
  check(H5Awrite(attribute.get(), type.get(), static_cast<const void*>(&pointer)),
        cat("cannot write attribute ", name, " of ", path_.string()));
}

void File::set_attribute(const std::string& name, std::span<const std::string> values) {
  const Handle type = string_type();
  const Handle attribute = create_attribute(name, type, list_space(values.size()));
  const std::vector<const char*> pointers = pointers_to(values);
  if (pointers.empty()) return;
  check(H5Awrite(attribute.get(), type.get(), static_cast<const void*>(pointers.data())),
        cat("cannot write attribute ", name, " of ", path_.string()));
}

std::int64_t File::integer_attribute(const std::string& name) const {
  const Handle attribute = open_attribute(name);
  std::int64_t value = 0;
  check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value),
        cat("cannot read attribute ", name, " of ", path_.string()));
  return value;
}

std::vector<std::string> File::string_list_attribute(const std::string& name) const {
  const std::string what = cat("cannot read attribute ", name, " of ", path_.string());
  const Handle attribute = open_attribute(name);
  const Handle space(H5Aget_space(attribute.get()), &H5Sclose, what);
  const Handle type = string_type();
  ReadStrings strings(type, space, what);
  check(H5Aread(attribute.get(), type.get(), strings.data()), what);
  return strings.copy();
}

std::string File::string_attribute(const std::string& name) const {
  const std::vector<std::string> values = string_list_attribute(name);
  if (values.size() != 1) {
    throw DataError(cat("attribute ", name, " of ", path_.string(), " holds ", values.size(),
                        " strings instead of one"));
  }
  return values.front();
}

void File::close() {
  silence();
  check(H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL), cat("cannot write ", path_.string()));
  handle_.close(cat("cannot close ", path_.string()));
}

}  // namespace effuse::hdf5
