#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace effuse {

/// What an array of numpy holds: element types that Effuse exchanges, little-endian, in C order.
enum class ArrayType { uint8, int32, int64, fp32, fp64, text };

/// Type and shape of an array; {} is a single value.
struct ArrayInfo {
  ArrayType type = ArrayType::uint8;
  std::vector<std::int64_t> shape;
  std::int64_t text_length = 0;  ///< of ArrayType::text (numpy's "U"): characters an element

  std::int64_t count() const;
  std::size_t element_bytes() const;
  std::size_t size_bytes() const { return static_cast<std::size_t>(count()) * element_bytes(); }

  /// Bytes of one entry along the first dimension.
  std::size_t row_bytes() const;

  bool operator==(const ArrayInfo&) const = default;
};

/// "[50000, 32, 32, 3] uint8", for messages.
std::string describe(const ArrayInfo& info);

/// The header of a .npy file, format version 1.0 (numpy.lib.format), 64 bytes aligned.
std::string npy_header(const ArrayInfo& info);

/// As many bytes as say how long a header is.
inline constexpr std::size_t kNpyStartBytes = 12;

/// How long the header is, its first kNpyStartBytes being `start`; 0 where it is none of .npy.
std::size_t npy_header_bytes(std::string_view start);

/// Reads a whole header. Throws DataError beginning with `where` for one that is no header, of
/// Fortran order, big-endian, or of another type.
ArrayInfo parse_npy_header(std::string_view header, const std::string& where);

}  // namespace effuse
