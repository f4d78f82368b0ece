#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

/// The values of a JSON object that somebody else wrote, with defaults for what it leaves out.
/// `json` must outlive this object; `where` names the file in messages.
class JsonFields {
 public:
  /// Throws ConfigError where `json` is no object.
  JsonFields(const nlohmann::ordered_json& json, std::string where)
      : json_(json), where_(std::move(where)) {
    if (!json_.is_object()) throw ConfigError(cat(where_, " is no JSON object"));
  }

  bool has(const char* key) const { return json_.contains(key); }
  bool is_null(const char* key) const { return !has(key) || json_.at(key).is_null(); }
  const nlohmann::ordered_json& at(const char* key) const { return json_.at(key); }

  /// The value, `fallback` where it is missing or null. Throws ConfigError naming the key where it
  /// is of another type.
  template <class T>
  T get(const char* key, const T& fallback) const {
    if (is_null(key)) return fallback;
    try {
      return at(key).template get<T>();
    } catch (const nlohmann::json::exception&) {
      refuse(key, cat("is ", at(key).dump(), ", of another type than it should be"));
    }
  }

  /// Throws ConfigError "WHERE: KEY PROBLEM".
  [[noreturn]] void refuse(const std::string& key, const std::string& problem) const {
    throw ConfigError(cat(where_, ": ", key, " ", problem));
  }

 private:
  const nlohmann::ordered_json& json_;
  std::string where_;
};

}  // namespace effuse
