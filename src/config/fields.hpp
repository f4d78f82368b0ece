#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/config.hpp"

/// The one table of all keys. Reader, overrides, printer, comparison and help are loops over it.
namespace effuse {

/// Whether a key defines the experiment (it may not change when a run is continued) or only how it
/// is run (it may change freely).
enum class Role { experiment, operation };

using FieldValue = std::variant<std::int64_t*, double*, bool*, std::string*,
                                std::vector<std::int64_t>*, std::vector<std::string>*>;

/// One key of one Config object.
struct Field {
  std::string section;
  std::string key;
  FieldValue value;
  std::string doc;  ///< one sentence, with unit
  Role role = Role::operation;
  std::optional<double> minimum;  ///< inclusive
  std::optional<double> maximum;  ///< inclusive
  std::vector<std::string> choices;
  bool may_be_empty = false;  ///< of a list
  /// Values of the section's key "name" for which this key means something; empty: all.
  std::vector<std::string> only_for;

  std::string name() const { return section + "." + key; }

  /// The value as TOML writes it.
  std::string toml() const;

  /// What is wrong with the present value ("must be at least 1, is 0"), empty where nothing is.
  std::string complaint() const;
};

/// All keys of `config`, in the order they are printed. The pointers live as long as `config`.
std::vector<Field> fields_of(Config& config);

/// The field "section.key". Throws ConfigError with the nearest name; `where` begins the message.
Field& find_field(std::vector<Field>& fields, const std::string& name, const std::string& where);

/// Names of the keys that were changed from their defaults but mean nothing for the network or
/// optimiser chosen (Field::only_for).
std::vector<std::string> ineffective_keys(const Config& config);

/// Names of the keys with role experiment in which two configurations differ.
std::vector<std::string> experiment_differences(const Config& a, const Config& b);

/// Names of all keys in which two configurations differ.
std::vector<std::string> all_differences(const Config& a, const Config& b);

}  // namespace effuse
