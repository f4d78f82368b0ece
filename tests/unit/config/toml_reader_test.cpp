#include "config/toml_reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

Config read(const std::string& text) {
  Config config;
  read_toml_text(config, text, "a.toml");
  return config;
}

std::string complaint_about(const std::string& text) {
  return message_of<ConfigError>([&] { read(text); });
}

std::string complaint_about_override(const std::string& assignment) {
  Config config;
  return message_of<ConfigError>([&] { apply_override(config, assignment); });
}

Config with_override(const std::string& assignment) {
  Config config;
  apply_override(config, assignment);
  return config;
}

TEST(TomlReader, SetsWhatIsNamedAndKeepsTheRest) {
  const Config config = read(
      "[run]\nname = \"faces\"\nsteps = 100\n"
      "[data]\nflip = true\n"
      "[model]\nblock_out_channels = [32, 64]\n"
      "[optimizer]\nlr = 1e-3\nweight_decay = 0\n"
      "[sampling]\nclasses = [\"cat\", \"dog\"]\n");
  EXPECT_EQ(config.run.name, "faces");
  EXPECT_EQ(config.run.steps, 100);
  EXPECT_TRUE(config.data.flip);
  EXPECT_EQ(config.model.block_out_channels, (std::vector<std::int64_t>{32, 64}));
  EXPECT_EQ(config.optimizer.lr, 1e-3);
  EXPECT_EQ(config.optimizer.weight_decay, 0.0);  // an integer is a number too
  EXPECT_EQ(config.sampling.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(config.run.batch_size, RunConfig().batch_size);
}

TEST(TomlReader, AnUnknownKeyIsShownWithItsPlaceAndTheNearestName) {
  EXPECT_EQ(complaint_about("[run]\nsteps = 5\n  batchsize = 7\n"),
            "a.toml:3:3: unknown key run.batchsize. Did you mean run.batch_size?");
  EXPECT_EQ(complaint_about("[run]\nunheard_of_thing = 7\n"),
            "a.toml:2:1: unknown key run.unheard_of_thing. --print-config lists all keys.");
}

TEST(TomlReader, AnUnknownSectionIsShownWithTheNearestName) {
  EXPECT_EQ(complaint_about("\n[optimiser]\nlr = 1\n"),
            "a.toml:2:2: unknown section [optimiser]. Did you mean [optimizer]?");
}

TEST(TomlReader, AKeyOutsideASectionIsRefused) {
  EXPECT_EQ(complaint_about("steps = 5\n").substr(0, 33), "a.toml:1:1: unknown section [step");
  EXPECT_EQ(complaint_about("run = 5\n"), "a.toml:1:1: run is a section: write [run]");
}

TEST(TomlReader, AValueOfTheWrongTypeIsRefused) {
  const auto place = [](const std::string& text) {
    const std::string message = complaint_about(text);
    return message.substr(0, message.find(" ("));
  };
  EXPECT_EQ(place("[run]\nsteps = \"five\"\n"), "a.toml:2:9: run.steps must be an integer");
  EXPECT_EQ(place("[run]\nsteps = 5.0\n"), "a.toml:2:9: run.steps must be an integer");
  EXPECT_EQ(place("[run]\nname = 5\n"), "a.toml:2:8: run.name must be a string");
  EXPECT_EQ(place("[data]\nflip = 1\n"), "a.toml:2:8: data.flip must be true or false");
  EXPECT_EQ(place("[optimizer]\nlr = true\n"), "a.toml:2:6: optimizer.lr must be a number");
  EXPECT_EQ(place("[model]\nblock_out_channels = [32, \"a\"]\n"),
            "a.toml:2:22: model.block_out_channels must be a list of integers");
  EXPECT_EQ(place("[sampling]\nclasses = \"all\"\n"),
            "a.toml:2:11: sampling.classes must be a list of strings");
}

TEST(TomlReader, AValueOutOfRangeIsRefused) {
  EXPECT_EQ(complaint_about("[run]\nbatch_size = 0\n"),
            "a.toml:2:14: run.batch_size must be at least 1, is 0 (images per optimiser step over "
            "all ranks together)");
  EXPECT_NE(complaint_about("[diffusion]\nlabel_drop = 1.5\n").find("must be at most 1, is 1.5"),
            std::string::npos);
  EXPECT_NE(complaint_about("[optimizer]\nlr = nan\n").find("must be at least 0, is nan"),
            std::string::npos);
  EXPECT_NE(complaint_about("[model]\nblock_out_channels = [32, 0]\n").find("must be at least 1"),
            std::string::npos);
  EXPECT_NE(complaint_about("[model]\nblock_out_channels = []\n").find("must not be empty"),
            std::string::npos);
}

TEST(TomlReader, AWordThatIsNoChoiceIsShownWithTheNearest) {
  EXPECT_NE(complaint_about("[optimizer]\nname = \"adan\"\n")
                .find("must be one of adamw, adam, sgd, is \"adan\". Did you mean \"adam\"?"),
            std::string::npos);
}

TEST(TomlReader, BadSyntaxIsShownWithItsPlace) {
  EXPECT_EQ(complaint_about("[run]\nsteps = = 5\n").substr(0, 9), "a.toml:2:");
  EXPECT_EQ(complaint_about("[run]\nsteps = 1\nsteps = 2\n").substr(0, 9), "a.toml:3:");
}

TEST(TomlReader, AMissingFileIsNamed) {
  const TemporaryFolder folder;
  Config config;
  const std::string message =
      message_of<ConfigError>([&] { read_toml_file(config, folder / "missing.toml"); });
  EXPECT_NE(message.find("missing.toml"), std::string::npos) << message;
}

TEST(TomlReader, ReadsAFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.toml", "[run]\nsteps = 3\n");
  Config config;
  read_toml_file(config, folder / "a.toml");
  EXPECT_EQ(config.run.steps, 3);
}

TEST(Override, TakesTomlValuesAndBareStrings) {
  EXPECT_EQ(with_override("optimizer.lr=1e-3").optimizer.lr, 1e-3);
  EXPECT_EQ(with_override("run.name=faces").run.name, "faces");
  EXPECT_EQ(with_override("run.name=\"two words\"").run.name, "two words");
  EXPECT_EQ(with_override("data.folder=/data/a b=c").data.folder, "/data/a b=c");
  EXPECT_EQ(with_override("run.name=12").run.name, "12");
  EXPECT_EQ(with_override("run.name=").run.name, "");
  EXPECT_TRUE(with_override("data.flip=true").data.flip);
  EXPECT_EQ(with_override("sampling.classes=[\"a\", \"b\"]").sampling.classes,
            (std::vector<std::string>{"a", "b"}));
}

TEST(Override, TakesListsAsPlainWords) {
  EXPECT_EQ(with_override("sampling.classes=cat,two words").sampling.classes,
            (std::vector<std::string>{"cat", "two words"}));
  EXPECT_EQ(with_override("sampling.classes=dog").sampling.classes,
            std::vector<std::string>{"dog"});
  EXPECT_EQ(with_override("sampling.labels=4,0").sampling.labels,
            (std::vector<std::int64_t>{4, 0}));
  EXPECT_EQ(with_override("sampling.labels=[]").sampling.labels, std::vector<std::int64_t>{});
  EXPECT_NE(complaint_about_override("sampling.labels=4,x").find("must be a list of integers"),
            std::string::npos);
  EXPECT_NE(complaint_about_override("sampling.labels=4,-1").find("must be at least 0"),
            std::string::npos);
}

TEST(Override, ThatIsWrongIsShownAsItWasGiven) {
  EXPECT_EQ(complaint_about_override("run.batch_size"),
            "--set run.batch_size: expected section.key=value");
  EXPECT_EQ(complaint_about_override("run.batchsize=3"),
            "--set run.batchsize=3: unknown key run.batchsize. Did you mean run.batch_size?");
  EXPECT_EQ(complaint_about_override("run.batch_size=abc").substr(0, 60),
            "--set run.batch_size=abc: run.batch_size must be an integer ");
  EXPECT_EQ(complaint_about_override("run.batch_size=0").substr(0, 58),
            "--set run.batch_size=0: run.batch_size must be at least 1,");
}

TEST(Override, CannotSmuggleInOtherKeys) { complaint_about_override("run.steps=3\nvalue2 = 4"); }

TEST(Override, OfTheDurationReplacesItAsAWhole) {
  Config config = read("[run]\nepochs = 10\n");
  apply_override(config, "run.steps=5");
  EXPECT_EQ(config.run.steps, 5);
  EXPECT_EQ(config.run.epochs, 0);
  apply_override(config, "run.images=1000");
  EXPECT_EQ(config.run.images, 1000);
  EXPECT_EQ(config.run.steps, 0);
}

}  // namespace
}  // namespace effuse
