#include "config/toml_reader.hpp"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <charconv>
#include <set>
#include <sstream>

#include "config/fields.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"

namespace effuse {
namespace {

[[noreturn]] void reject(const std::string& where, const Field& field, const std::string& problem) {
  throw ConfigError(cat(where, ": ", field.name(), " ", problem, " (", field.doc, ")"));
}

/// What a field's type is called in messages.
struct TypeName {
  std::string operator()(const std::int64_t*) const { return "an integer"; }
  std::string operator()(const double*) const { return "a number"; }
  std::string operator()(const bool*) const { return "true or false"; }
  std::string operator()(const std::string*) const { return "a string"; }
  std::string operator()(const std::vector<std::int64_t>*) const { return "a list of integers"; }
  std::string operator()(const std::vector<std::string>*) const { return "a list of strings"; }
};

/// Stores a TOML node in a field's variable. False where the type does not fit.
struct Store {
  const toml::node& node;

  template <class Value>
  bool scalar(Value* out) const {
    const auto value = node.value_exact<Value>();
    if (value) *out = *value;
    return value.has_value();
  }
  template <class Element>
  bool list(std::vector<Element>* out) const {
    const toml::array* array = node.as_array();
    if (array == nullptr) return false;
    std::vector<Element> elements;
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<Element>();
      if (!value) return false;
      elements.push_back(*value);
    }
    *out = std::move(elements);
    return true;
  }

  bool operator()(std::int64_t* out) const { return scalar(out); }
  bool operator()(bool* out) const { return scalar(out); }
  bool operator()(std::string* out) const { return scalar(out); }
  bool operator()(double* out) const {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (value) *out = *value;
    return value.has_value();
  }
  bool operator()(std::vector<std::int64_t>* out) const { return list(out); }
  bool operator()(std::vector<std::string>* out) const { return list(out); }
};

void assign(Field& field, const toml::node& node, const std::string& where) {
  if (!std::visit(Store{node}, field.value)) {
    reject(where, field, cat("must be ", std::visit(TypeName{}, field.value)));
  }
  if (const std::string complaint = field.complaint(); !complaint.empty()) {
    reject(where, field, complaint);
  }
}

std::string place(const std::string& file, const toml::source_region& source) {
  return cat(file, ":", source.begin.line, ":", source.begin.column);
}

void check_section(const std::vector<Field>& fields, const std::string& section,
                   const std::string& where) {
  std::set<std::string> sections;
  for (const Field& field : fields) sections.insert(field.section);
  if (sections.contains(section)) return;
  const std::vector<std::string> names(sections.begin(), sections.end());
  const std::string near = nearest_name(section, names);
  throw ConfigError(cat(where, ": unknown section [", section, "]",
                        near.empty() ? "" : cat(". Did you mean [", near, "]?")));
}

}  // namespace

void read_toml_text(Config& config, std::string_view text, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw ConfigError(cat(place(name, error.source()), ": ", error.description()));
  }
  std::vector<Field> fields = fields_of(config);
  for (const auto& [section_key, section_node] : table) {
    const std::string section{section_key.str()};
    const std::string where = place(name, section_key.source());
    check_section(fields, section, where);
    const toml::table* keys = section_node.as_table();
    if (keys == nullptr)
      throw ConfigError(cat(where, ": ", section, " is a section: write [", section, "]"));
    for (const auto& [key, node] : *keys) {
      Field& field = find_field(fields, cat(section, ".", key.str()), place(name, key.source()));
      assign(field, node, place(name, node.source()));
    }
  }
}

void read_toml_file(Config& config, const std::filesystem::path& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const std::system_error& error) {
    throw ConfigError(cat("configuration: ", error.what()));
  }
  read_toml_text(config, text, path.string());
}

namespace {

/// "cat,dog" and "4,0" as lists, so that nobody has to quote brackets for a shell.
toml::table plain_list(const Field& field, const std::string& value, const std::string& where) {
  toml::array list;
  std::istringstream words(value);
  for (std::string word; std::getline(words, word, ',');) {
    if (std::holds_alternative<std::vector<std::string>*>(field.value)) {
      list.push_back(word);
      continue;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || end != word.data() + word.size()) {
      reject(where, field, cat("must be ", std::visit(TypeName{}, field.value)));
    }
    list.push_back(number);
  }
  return toml::table{{"value", list}};
}

bool wants_list(const Field& field) {
  return std::holds_alternative<std::vector<std::string>*>(field.value) ||
         std::holds_alternative<std::vector<std::int64_t>*>(field.value);
}

toml::table parse_value(const Field& field, const std::string& value, const std::string& where) {
  if (wants_list(field) && !value.empty() && !value.starts_with('[')) {
    return plain_list(field, value, where);
  }
  const bool wants_string = std::holds_alternative<std::string*>(field.value);
  try {
    toml::table table = toml::parse("value = " + value + "\n");
    if (table.size() == 1 && (!wants_string || table["value"].is_string())) return table;
    if (!wants_string) reject(where, field, "takes one value");
  } catch (const toml::parse_error& error) {
    if (!wants_string) reject(where, field, cat("must be ", std::visit(TypeName{}, field.value)));
  }
  return toml::table{{"value", value}};
}

void clear_duration(Config& config) {
  config.run.steps = config.run.images = config.run.epochs = 0;
}

}  // namespace

void apply_override(Config& config, const std::string& assignment) {
  const std::string where = cat("--set ", valid_utf8(assignment));
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    throw ConfigError(cat(where, ": expected section.key=value"));
  }
  std::vector<Field> fields = fields_of(config);
  Field& field = find_field(fields, assignment.substr(0, equals), where);
  const toml::table table = parse_value(field, assignment.substr(equals + 1), where);
  const std::string name = field.name();
  if (name == "run.steps" || name == "run.images" || name == "run.epochs") clear_duration(config);
  assign(field, *table.get("value"), where);
}

}  // namespace effuse
