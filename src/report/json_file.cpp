#include "report/json_file.hpp"

#include <system_error>

#include "core/files.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Nothing where `object` has no such member.
const Json* member(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Json> read_json_object(const std::filesystem::path& file,
                                     std::vector<std::string>& problems, std::string name) {
  std::error_code absent;
  if (!std::filesystem::exists(file, absent)) return std::nullopt;
  if (name.empty()) name = file.filename().string();
  try {
    Json json = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) return json;
    problems.push_back(cat(name, " is damaged: it is no JSON object, and is left out."));
  } catch (const std::system_error& error) {
    problems.push_back(cat(name, " cannot be read, and is left out: ", error.what()));
  }
  return std::nullopt;
}

std::string text_in(const Json& object, const char* key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t integer_in(const Json& object, const char* key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

double number_in(const Json& object, const char* key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_number() ? found->get<double>() : 0.0;
}

}  // namespace effuse
