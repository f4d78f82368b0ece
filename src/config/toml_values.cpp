#include "config/toml_values.hpp"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

struct Value {
  toml::source_position place;
  std::string name;
  std::string text;
};

std::string text_of(const toml::node& node) {
  if (const toml::array* array = node.as_array()) {
    std::string text;
    for (const toml::node& element : *array) text += (text.empty() ? "" : ", ") + text_of(element);
    return cat("[", text, "]");
  }
  if (const auto* number = node.as_floating_point()) return shortest(number->get());
  std::ostringstream out;
  out << toml::toml_formatter{node, toml::format_flags::none};
  return std::move(out).str();
}

void collect(const toml::table& table, const std::string& prefix, std::vector<Value>& values) {
  for (const auto& [key, node] : table) {
    const std::string name = cat(prefix, key.str());
    if (const toml::table* inner = node.as_table()) {
      collect(*inner, name + ".", values);
    } else {
      values.push_back({node.source().begin, name, text_of(node)});
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> toml_values(std::string_view text,
                                                             const std::string& name) {
  std::vector<Value> values;
  try {
    collect(toml::parse(text, name), "", values);
  } catch (const toml::parse_error& error) {
    throw ConfigError(cat(name, ":", error.source().begin.line, ":", error.source().begin.column,
                          ": ", error.description()));
  }
  std::ranges::stable_sort(values, {}, [](const Value& value) { return value.place.line; });
  std::vector<std::pair<std::string, std::string>> named;
  for (const Value& value : values) named.emplace_back(value.name, value.text);
  return named;
}

}  // namespace effuse
