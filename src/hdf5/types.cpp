#include "hdf5/types.hpp"

#include <hdf5.h>

#include "core/error.hpp"

namespace effuse::hdf5 {

Handle::Id file_type(Element element) {
  switch (element) {
    case Element::uint8:
      return H5T_STD_U8LE;
    case Element::uint32:
      return H5T_STD_U32LE;
    case Element::int64:
      return H5T_STD_I64LE;
  }
  throw DataError("unknown HDF5 element type");
}

Handle::Id memory_type(Element element) {
  switch (element) {
    case Element::uint8:
      return H5T_NATIVE_UINT8;
    case Element::uint32:
      return H5T_NATIVE_UINT32;
    case Element::int64:
      return H5T_NATIVE_INT64;
  }
  throw DataError("unknown HDF5 element type");
}

const char* name_of(Element element) {
  switch (element) {
    case Element::uint8:
      return "uint8";
    case Element::uint32:
      return "uint32";
    case Element::int64:
      return "int64";
  }
  return "";
}

Handle string_type() {
  constexpr const char* kWhat = "cannot make HDF5's string type";
  Handle type(H5Tcopy(H5T_C_S1), &H5Tclose, kWhat);
  check(H5Tset_size(type.get(), H5T_VARIABLE), kWhat);
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), kWhat);
  return type;
}

}  // namespace effuse::hdf5
