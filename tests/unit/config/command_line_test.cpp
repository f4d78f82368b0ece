#include "config/command_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/fields.hpp"
#include "config/toml_reader.hpp"
#include "core/files.hpp"
#include "core/version.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

Program program() {
  return {.name = "effuse-sample",
          .summary = "Generates images.",
          .examples = "  effuse-sample --steps 50 runs/faces",
          .sections = {"sampling", "run", "data"},
          .key_flags = {{"--steps", "sampling.steps"},
                        {"--verify", "data.verify"},
                        {"--flip", "data.flip"},
                        {"--classes", "sampling.classes"}},
          .extra_flags = {{"--fresh", "start over", ""}, {"--allow-change", "a key", "KEY"}}};
}

std::optional<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "effuse-sample");
  return parse_command_line(program(), static_cast<int>(arguments.size()), arguments.data());
}

/// What the program answers on stdout, done with that.
std::string answer_to(std::vector<const char*> arguments) {
  testing::internal::CaptureStdout();
  const auto line = parse(std::move(arguments));
  EXPECT_FALSE(line.has_value());
  return testing::internal::GetCapturedStdout();
}

TEST(CommandLine, WithoutArgumentsIsTheDefaults) {
  const auto line = parse({});
  ASSERT_TRUE(line);
  EXPECT_EQ(all_differences(line->config, Config()), std::vector<std::string>{});
  EXPECT_FALSE(line->check);
  EXPECT_TRUE(line->extras.empty());
}

TEST(CommandLine, FlagsAreNamesForKeys) {
  const auto line = parse({"--steps", "20", "--flip", "--set", "sampling.tile=4"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->config.sampling.steps, 20);
  EXPECT_TRUE(line->config.data.flip);
  EXPECT_EQ(line->config.sampling.tile, 4);
}

TEST(CommandLine, ArgumentsWithoutAFlagAreTheListOfTheirKey) {
  Program takes = program();
  takes.arguments = {"CLASS", "sampling.classes"};
  const auto classes = [&takes](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "effuse-sample");
    const auto line =
        parse_command_line(takes, static_cast<int>(arguments.size()), arguments.data());
    return line.value().config.sampling.classes;
  };
  EXPECT_EQ(classes({"a,b", "--steps", "3", "c [d]"}), (std::vector<std::string>{"a,b", "c [d]"}));
  EXPECT_EQ(classes({"--steps", "3"}), Config().sampling.classes);
  EXPECT_NE(message_of<ConfigError>([&] { classes({"x\xff"}); }).find("CLASS: must be UTF-8"),
            std::string::npos);
  EXPECT_NE(message_of<ConfigError>([] { parse({"stray"}); }).find("unexpected argument stray"),
            std::string::npos);
}

TEST(CommandLine, KeysOfSectionsThatTheProgramDoesNotUseAreRefused) {
  const std::string message = message_of<ConfigError>([] {
    parse({"--set", "diffusion.schedule=cosine"});
  });
  EXPECT_NE(message.find("effuse-sample does not use [diffusion]"), std::string::npos) << message;
  EXPECT_EQ(parse({"--set", "run.seed=3", "--steps", "20"})->overridden,
            (std::vector<std::string>{"run.seed", "sampling.steps"}));
}

TEST(CommandLine, FlagsAndOverridesWinOverTheFileAndTheLastOneOverTheFirst) {
  const TemporaryFolder folder;
  const std::string file = (folder / "a.toml").string();
  write_file_atomically(file, "[sampling]\nsteps = 10\nnumber = 3\n");
  const auto line = parse({"--set", "sampling.steps=20", "--config", file.c_str(), "--steps", "30",
                           "--set", "sampling.seed=5", "--set", "sampling.seed=6"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->config.sampling.steps, 30);
  EXPECT_EQ(line->config.sampling.number, 3);
  EXPECT_EQ(line->config.sampling.seed, 6);
  const auto other_order = parse({"--steps", "30", "--set", "sampling.steps=20"});
  EXPECT_EQ(other_order->config.sampling.steps, 20);
}

TEST(CommandLine, ExtraFlagsKeepAllTheirValues) {
  const auto line =
      parse({"--fresh", "--allow-change", "optimizer.lr", "--allow-change", "run.seed", "--check"});
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->has("fresh"));
  EXPECT_FALSE(line->has("resume-from"));
  EXPECT_EQ(line->extras.at("allow-change"),
            (std::vector<std::string>{"optimizer.lr", "run.seed"}));
  EXPECT_TRUE(line->check);
}

TEST(CommandLine, HelpShowsExamplesAndTheKeysBehindFlags) {
  const std::string help = answer_to({"--help"});
  EXPECT_NE(help.find("Generates images."), std::string::npos);
  EXPECT_NE(help.find("effuse-sample --steps 50 runs/faces"), std::string::npos);
  EXPECT_NE(help.find("[sampling.steps = 50]"), std::string::npos) << help;
  EXPECT_NE(help.find("Exit codes: 0 done"), std::string::npos);
}

TEST(CommandLine, VersionNamesProgramReleaseAndRevision) {
  EXPECT_EQ(answer_to({"--version"}),
            "effuse-sample " + std::string(version()) + " (" + std::string(revision()) + ")\n");
}

TEST(CommandLine, PrintConfigPrintsWhatReadsBackEqual) {
  const std::string text = answer_to({"--steps", "20", "--print-config"});
  Config config;
  read_toml_text(config, text, "printed");
  EXPECT_EQ(config.sampling.steps, 20);
  EXPECT_EQ(all_differences(config, Config()), std::vector<std::string>{"sampling.steps"});
  EXPECT_EQ(text.find("[model]"), std::string::npos);
}

TEST(CommandLine, GetPrintsValuesAsScriptsTakeThem) {
  EXPECT_EQ(answer_to({"--steps", "20", "--set", "sampling.output=my images", "--get",
                       "sampling.output", "--get", "sampling.steps", "--get", "run.name"}),
            "my images\n20\nrun\n");
  const std::string refused = message_of<ConfigError>([] { parse({"--get", "sampling.step"}); });
  EXPECT_NE(refused.find("sampling.steps"), std::string::npos) << refused;
}

TEST(CommandLine, BadUsageIsAConfigError) {
  const auto complaint = [](std::vector<const char*> arguments) {
    return message_of<ConfigError>([&] { parse(std::move(arguments)); });
  };
  EXPECT_NE(complaint({"--stepz", "3"}).find("--stepz"), std::string::npos);
  EXPECT_NE(complaint({"--steps"}).find("--steps"), std::string::npos);
  EXPECT_NE(complaint({"stray"}).find("stray"), std::string::npos);
  EXPECT_NE(complaint({"--steps", "many"}).find("sampling.steps must be an integer"),
            std::string::npos);
  EXPECT_NE(complaint({"--config", "/missing.toml"}).find("/missing.toml"), std::string::npos);
}

TEST(CommandLine, NamesAnUnknownArgumentAndTheNearestFlag) {
  const auto complaint = [](std::vector<const char*> arguments) {
    return message_of<ConfigError>([&] { parse(std::move(arguments)); });
  };
  EXPECT_EQ(
      complaint({"--stps", "5"}),
      "unknown argument --stps (did you mean --steps?). effuse-sample --help lists what there "
      "is.");
  EXPECT_EQ(complaint({"--stps=5"}).substr(0, 50),
            "unknown argument --stps=5 (did you mean --steps?).");
  EXPECT_EQ(complaint({"--quantum"}).substr(0, 27), "unknown argument --quantum.");
  EXPECT_EQ(complaint({"photos"}).substr(0, 27), "unexpected argument photos.");
}

}  // namespace
}  // namespace effuse
