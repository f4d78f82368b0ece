#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace effuse {

using Json = nlohmann::ordered_json;

/// The JSON object in `file`. Nothing where there is no such file; nothing and a sentence added to
/// `problems` where it cannot be read or is no JSON object. The sentence calls it `name`, by
/// default as the file is called.
std::optional<Json> read_json_object(const std::filesystem::path& file,
                                     std::vector<std::string>& problems, std::string name = {});

/// Members by name and type, whatever the file holds: an absent one, or one of another type, is the
/// empty value.
std::string text_in(const Json& object, const char* key);
std::int64_t integer_in(const Json& object, const char* key);
double number_in(const Json& object, const char* key);

}  // namespace effuse
