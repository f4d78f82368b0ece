#pragma once

#include <c10/core/ScalarType.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace effuse {

/// The types of the safetensors format that Effuse reads and writes.
inline constexpr std::array<std::pair<std::string_view, c10::ScalarType>, 10> kSafetensorsTypes{{
    {"F64", c10::ScalarType::Double},
    {"F32", c10::ScalarType::Float},
    {"F16", c10::ScalarType::Half},
    {"BF16", c10::ScalarType::BFloat16},
    {"I64", c10::ScalarType::Long},
    {"I32", c10::ScalarType::Int},
    {"I16", c10::ScalarType::Short},
    {"I8", c10::ScalarType::Char},
    {"U8", c10::ScalarType::Byte},
    {"BOOL", c10::ScalarType::Bool},
}};

/// "F32" for Float; empty where the format has no such type.
inline std::string safetensors_type(c10::ScalarType type) {
  for (const auto& [name, candidate] : kSafetensorsTypes) {
    if (candidate == type) return std::string(name);
  }
  return {};
}

inline std::optional<c10::ScalarType> scalar_type_of(std::string_view name) {
  for (const auto& [candidate, type] : kSafetensorsTypes) {
    if (candidate == name) return type;
  }
  return std::nullopt;
}

}  // namespace effuse
