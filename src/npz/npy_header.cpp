#include "npz/npy_header.hpp"

#include <array>
#include <charconv>
#include <regex>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;

struct TypeName {
  ArrayType type;
  std::string_view code;  ///< as numpy writes it
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array kTypes{
    TypeName{ArrayType::uint8, "|u1", "uint8", 1},  TypeName{ArrayType::int32, "<i4", "int32", 4},
    TypeName{ArrayType::int64, "<i8", "int64", 8},  TypeName{ArrayType::fp32, "<f4", "float32", 4},
    TypeName{ArrayType::fp64, "<f8", "float64", 8},
};

const TypeName& named(ArrayType type) {
  for (const TypeName& entry : kTypes) {
    if (entry.type == type) return entry;
  }
  throw Error("a text has no fixed element size");
}

std::string code_of(const ArrayInfo& info) {
  if (info.type == ArrayType::text) return cat("<U", info.text_length);
  return std::string(named(info.type).code);
}

std::int64_t number(const std::string& digits, const std::string& where) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    throw DataError(cat(where, ": its header names a size of ", digits, ", which cannot be"));
  }
  return value;
}

std::vector<std::int64_t> parse_shape(const std::string& text, const std::string& where) {
  std::vector<std::int64_t> shape;
  static const std::regex digits("[0-9]+");
  for (std::sregex_iterator it(text.begin(), text.end(), digits), end; it != end; ++it) {
    shape.push_back(number(it->str(), where));
  }
  return shape;
}

void parse_type(const std::string& code, const std::string& where, ArrayInfo& info) {
  if (code.starts_with("<U")) {
    info.type = ArrayType::text;
    info.text_length = number(code.substr(2), where);
    return;
  }
  for (const TypeName& entry : kTypes) {
    if (entry.code != code) continue;
    info.type = entry.type;
    return;
  }
  throw DataError(cat(where, ": has elements of numpy's type ", code,
                      " (read are |u1, <i4, <i8, <f4, <f8 and <U). Convert it with astype()"));
}

/// More elements or bytes than can be counted are a lie.
void require_countable(const ArrayInfo& info, const std::string& where) {
  auto bytes = static_cast<std::int64_t>(info.element_bytes());
  bool overflows = bytes < 0;
  for (const std::int64_t size : info.shape) {
    overflows = overflows || __builtin_mul_overflow(bytes, size, &bytes);
  }
  if (overflows) throw DataError(cat(where, ": its header names a shape that cannot be"));
}

}  // namespace

std::int64_t ArrayInfo::count() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

std::size_t ArrayInfo::element_bytes() const {
  return type == ArrayType::text ? static_cast<std::size_t>(text_length) * 4 : named(type).bytes;
}

std::size_t ArrayInfo::row_bytes() const {
  std::size_t bytes = element_bytes();
  for (std::size_t i = 1; i < shape.size(); ++i) bytes *= static_cast<std::size_t>(shape[i]);
  return bytes;
}

std::string describe(const ArrayInfo& info) {
  std::string text = "[";
  for (const std::int64_t size : info.shape) text += cat(text.size() > 1 ? ", " : "", size);
  const bool is_text = info.type == ArrayType::text;
  return text + cat("] ", is_text ? "text" : named(info.type).name);
}

std::string npy_header(const ArrayInfo& info) {
  std::string shape;
  for (const std::int64_t size : info.shape) shape += cat(size, ", ");
  if (info.shape.size() > 1) shape.resize(shape.size() - 2);
  if (info.shape.size() == 1) shape.resize(shape.size() - 1);
  std::string dictionary =
      cat("{'descr': '", code_of(info), "', 'fortran_order': False, 'shape': (", shape, "), }");
  const std::size_t prefix = kMagic.size() + 4;
  const std::size_t unpadded = prefix + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
             static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}

std::size_t npy_header_bytes(std::string_view start) {
  if (start.size() < kNpyStartBytes || !start.starts_with(kMagic)) return 0;
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(start[at]));
  };
  if (byte(6) == 1) return 10 + byte(8) + (byte(9) << 8);
  if (byte(6) == 2 || byte(6) == 3) {
    return 12 + byte(8) + (byte(9) << 8) + (byte(10) << 16) + (byte(11) << 24);
  }
  return 0;
}

ArrayInfo parse_npy_header(std::string_view header, const std::string& where) {
  static const std::regex entries(
      "'descr': *'([^']*)', *'fortran_order': *(True|False), *'shape': *\\(([0-9, ]*)\\)");
  const std::string text(header);
  std::smatch found;
  if (!std::regex_search(text, found, entries)) {
    throw DataError(cat(where, ": is no array of numbers as numpy writes it"));
  }
  ArrayInfo info;
  parse_type(found[1], where, info);
  info.shape = parse_shape(found[3], where);
  if (found[2] == "True" && info.shape.size() > 1) {
    throw DataError(cat(where, ": is in Fortran order. Save numpy.ascontiguousarray() of it"));
  }
  require_countable(info, where);
  return info;
}

}  // namespace effuse
