#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "exchange/output_path.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

TEST(Output, AppearsWhole) {
  const TemporaryFolder folder;
  write_output(folder / "a/b/", [&](const fs::path& temporary) {
    EXPECT_EQ(temporary.parent_path(), folder / "a");
    fs::create_directory(temporary);
    std::ofstream(temporary / "c") << "text";
    EXPECT_FALSE(fs::exists(folder / "a/b"));
  });
  EXPECT_EQ(read_file(folder / "a/b/c"), "text");
}

TEST(Output, IsRefusedWhereThereIsSomething) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "kept";
  fs::create_symlink("nothing", folder / "link");
  for (const char* name : {"file", "link", "."}) {
    EXPECT_NE(message_of<ConfigError>([&] {
                write_output(folder / name, [](const fs::path&) { FAIL(); });
              }).find("exists already, and nothing is overwritten"),
              std::string::npos);
  }
  EXPECT_NE(message_of<ConfigError>([&] {
              write_output(folder / "late", [&](const fs::path& temporary) {
                std::ofstream(temporary) << "new";
                std::ofstream(folder / "late") << "first";
              });
            }).find("late exists already"),
            std::string::npos);
  EXPECT_EQ(read_file(folder / "late"), "first");
}

TEST(Output, IsNotThereWhereWritingFails) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<CheckpointError>([&] {
              write_output(folder / "a", [](const fs::path& temporary) {
                fs::create_directory(temporary);
                std::ofstream(temporary / "half") << "half";
                throw std::system_error(ENOSPC, std::generic_category(), "half");
              });
            }).find("No space left"),
            std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace effuse
