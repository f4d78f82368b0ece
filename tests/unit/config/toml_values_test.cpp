#include "config/toml_values.hpp"

#include <gtest/gtest.h>

#include "config/fields.hpp"
#include "config/toml_writer.hpp"
#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

TEST(TomlValues, AreTextsInTheOrderOfTheFile) {
  EXPECT_EQ(
      toml_values(
          "[b]\nz = 1\na = \"x \\\"y\\\"\"\n[a]\nlr = 3e-4\nlist = [1, \"two\"]\non = true\n", "f"),
      (Values{{"b.z", "1"},
              {"b.a", "\"x \\\"y\\\"\""},
              {"a.lr", "0.0003"},
              {"a.list", "[1, \"two\"]"},
              {"a.on", "true"}}));
}

TEST(TomlValues, KnowEveryKeyOfAWrittenConfiguration) {
  Config config;
  const Values values = toml_values(to_toml(config, {}), "f");
  const std::vector<Field> fields = fields_of(config);
  ASSERT_EQ(values.size(), fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) EXPECT_EQ(values[i].first, fields[i].name());
}

TEST(TomlValues, NameThePlaceOfBadSyntax) {
  const std::string message =
      message_of<ConfigError>([] { toml_values("[run]\nx = = 1\n", "c.toml"); });
  EXPECT_TRUE(message.starts_with("c.toml:2:")) << message;
}

}  // namespace
}  // namespace effuse
