#include <algorithm>
#include <map>
#include <string_view>

#include "config/fields.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"

namespace effuse {
namespace {

std::string quoted(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {  // TOML wants control characters as \u00XX
      out += cat("\\u00", kHex[byte >> 4], kHex[byte & 15]);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string toml_of(std::int64_t value) { return std::to_string(value); }
std::string toml_of(bool value) { return value ? "true" : "false"; }
std::string toml_of(const std::string& value) { return quoted(value); }

/// As a float rather than an integer: 600.0.
std::string toml_of(double value) {
  const std::string number = shortest(value);
  return number.find_first_of(".en") == std::string::npos ? number + ".0" : number;
}

template <class Element>
std::string toml_of(const std::vector<Element>& values) {
  std::string text;
  for (const Element& value : values) text += (text.empty() ? "" : ", ") + toml_of(value);
  return "[" + text + "]";
}

std::string range_complaint(const Field& field, double value) {
  if (field.minimum && !(value >= *field.minimum)) {
    return cat("must be at least ", shortest(*field.minimum), ", is ", shortest(value));
  }
  if (field.maximum && !(value <= *field.maximum)) {
    return cat("must be at most ", shortest(*field.maximum), ", is ", shortest(value));
  }
  return {};
}

std::string choice_complaint(const Field& field, const std::string& value) {
  const auto& choices = field.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return {};
  }
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  const std::string near = nearest_name(value, choices);
  return cat("must be one of ", list, ", is ", quoted(value),
             near.empty() ? "" : cat(". Did you mean ", quoted(near), "?"));
}

std::string complaint_of(const Field& field, std::int64_t value) {
  return range_complaint(field, static_cast<double>(value));
}
std::string complaint_of(const Field& field, double value) { return range_complaint(field, value); }
std::string complaint_of(const Field&, bool) { return {}; }
std::string complaint_of(const Field& field, const std::string& value) {
  if (valid_utf8(value) != value) return "must be UTF-8 (it is written into JSON and TOML)";
  return choice_complaint(field, value);
}
template <class Element>
std::string complaint_of(const Field& field, const std::vector<Element>& values) {
  if (values.empty()) return field.may_be_empty ? "" : "must not be empty";
  for (const Element& value : values) {
    if (std::string complaint = complaint_of(field, value); !complaint.empty()) return complaint;
  }
  return {};
}

}  // namespace

std::string Field::toml() const {
  return std::visit([](const auto* pointer) { return toml_of(*pointer); }, value);
}

std::string Field::complaint() const {
  return std::visit([this](const auto* pointer) { return complaint_of(*this, *pointer); }, value);
}

Field& find_field(std::vector<Field>& fields, const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (Field& field : fields) {
    if (field.name() == name) return field;
    names.push_back(field.name());
  }
  const std::string near = nearest_name(name, names);
  throw ConfigError(
      cat(where, ": unknown key ", name,
          near.empty() ? ". --print-config lists all keys." : cat(". Did you mean ", near, "?")));
}

namespace {

std::vector<std::string> differences(Config a, Config b, bool experiment_only) {
  const std::vector<Field> left = fields_of(a);
  const std::vector<Field> right = fields_of(b);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (experiment_only && left[i].role != Role::experiment) continue;
    if (left[i].toml() != right[i].toml()) names.push_back(left[i].name());
  }
  return names;
}

}  // namespace

std::vector<std::string> ineffective_keys(const Config& config) {
  Config copy = config;
  const std::map<std::string, std::string> chosen{{"model", config.model.name},
                                                  {"optimizer", config.optimizer.name}};
  const std::vector<std::string> changed = all_differences(Config(), config);
  std::vector<std::string> names;
  for (const Field& field : fields_of(copy)) {
    if (field.only_for.empty()) continue;
    const auto& kinds = field.only_for;
    const bool means_something =
        std::find(kinds.begin(), kinds.end(), chosen.at(field.section)) != kinds.end();
    const bool is_changed =
        std::find(changed.begin(), changed.end(), field.name()) != changed.end();
    if (!means_something && is_changed) names.push_back(field.name());
  }
  return names;
}

std::vector<std::string> experiment_differences(const Config& a, const Config& b) {
  return differences(a, b, true);
}

std::vector<std::string> all_differences(const Config& a, const Config& b) {
  return differences(a, b, false);
}

}  // namespace effuse
