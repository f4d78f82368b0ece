#include "config/toml_writer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "config/fields.hpp"
#include "config/toml_reader.hpp"

namespace effuse {
namespace {

Config read_back(const Config& config) {
  Config copy;
  read_toml_text(copy, to_toml(config), "printed.toml");
  return copy;
}

TEST(TomlWriter, DefaultsReadBackEqual) {
  const Config config;
  EXPECT_EQ(all_differences(read_back(config), config), std::vector<std::string>{});
  EXPECT_EQ(to_toml(read_back(config)), to_toml(config));
}

TEST(TomlWriter, AwkwardValuesReadBackEqual) {
  Config config;
  config.run.name = "quote \" backslash \\ new\nline umlaut \xc3\xbc = [x] # y";
  config.data.folder = "";
  config.run.seed = std::numeric_limits<std::int64_t>::max();
  config.optimizer.lr = 0.1 + 0.2;
  config.optimizer.eps = 1e-15;
  config.ema.decay = 0.0;
  config.parallel.step_timeout_s = 1e300;
  config.model.block_out_channels = {7};
  config.sampling.classes = {"a, b", "\"c\""};
  const Config copy = read_back(config);
  EXPECT_EQ(copy.run.name, config.run.name);
  EXPECT_EQ(copy.run.seed, config.run.seed);
  EXPECT_EQ(copy.optimizer.lr, config.optimizer.lr);
  EXPECT_EQ(copy.parallel.step_timeout_s, config.parallel.step_timeout_s);
  EXPECT_EQ(copy.sampling.classes, config.sampling.classes);
  EXPECT_EQ(all_differences(copy, config), std::vector<std::string>{});
}

TEST(TomlWriter, ControlCharactersReadBackEqual) {
  Config config;
  config.run.name = "tab\t return\r bell\a delete\x7f";
  EXPECT_EQ(read_back(config).run.name, config.run.name);
}

TEST(TomlWriter, CommentsEveryKeyWithItsMeaningAndRange) {
  const std::string text = to_toml(Config());
  EXPECT_NE(text.find("[run]\n# name of the run and of its folder\nname = \"run\"\n"),
            std::string::npos);
  EXPECT_NE(text.find(" [1 to 1000000000]\nbatch_size = 128\n"), std::string::npos);
  EXPECT_NE(
      text.find(
          "# collectives; auto: nccl on GPUs, mpi on CPUs, single for one rank [auto, single, "
          "mpi, nccl]\nbackend = \"auto\"\n"),
      std::string::npos);
  EXPECT_NE(text.find(" [0 to 65535]\nport = 0\n"), std::string::npos);
}

TEST(TomlWriter, PrintsTheSectionsAskedForAndNoOthers) {
  const std::string text = to_toml(Config(), {"ema", "metrics"});
  EXPECT_TRUE(text.starts_with("[ema]\n")) << text;
  EXPECT_NE(text.find("\n\n[metrics]\n"), std::string::npos);
  EXPECT_EQ(text.find("[run]"), std::string::npos);
}

TEST(Fields, EveryKeyHasADocumentationAndADefaultInItsRange) {
  Config config;
  for (const Field& field : fields_of(config)) {
    EXPECT_FALSE(field.doc.empty()) << field.name();
    EXPECT_EQ(field.complaint(), "") << field.name();
  }
}

}  // namespace
}  // namespace effuse
