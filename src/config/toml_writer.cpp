#include "config/toml_writer.hpp"

#include <algorithm>

#include "config/fields.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::string constraint(const Field& field) {
  if (!field.choices.empty()) {
    std::string list;
    for (const std::string& choice : field.choices) list += (list.empty() ? "" : ", ") + choice;
    return cat(" [", list, "]");
  }
  if (field.minimum && field.maximum)
    return cat(" [", shortest(*field.minimum), " to ", shortest(*field.maximum), "]");
  if (field.minimum) return cat(" [at least ", shortest(*field.minimum), "]");
  return {};
}

}  // namespace

std::string to_toml(const Config& config, const std::vector<std::string>& sections) {
  Config copy = config;
  std::string text;
  std::string section;
  for (const Field& field : fields_of(copy)) {
    const bool wanted = sections.empty() || std::find(sections.begin(), sections.end(),
                                                      field.section) != sections.end();
    if (!wanted) continue;
    if (field.section != section) {
      text += cat(section.empty() ? "" : "\n", "[", field.section, "]\n");
      section = field.section;
    }
    text += cat("# ", field.doc, constraint(field), "\n", field.key, " = ", field.toml(), "\n");
  }
  return text;
}

}  // namespace effuse
