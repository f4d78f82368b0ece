#include "core/files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

TEST(AtomicFile, AppearsWholeOnCommit) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "state");
  file.write("first, ");
  file.write("second");
  EXPECT_FALSE(fs::exists(folder / "state"));
  file.commit();
  EXPECT_EQ(read_file(folder / "state"), "first, second");
  EXPECT_EQ(names_in(folder.path()), Names{"state"});
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "state");
    file.write("half");
    EXPECT_EQ(names_in(folder.path()).size(), 1u);
  }
  EXPECT_EQ(names_in(folder.path()), Names{});
}

TEST(AtomicFile, KeepsTheOldFileUntilCommit) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "state", "old");
  { AtomicFile(folder / "state").write("new"); }
  EXPECT_EQ(read_file(folder / "state"), "old");
  write_file_atomically(folder / "state", "new");
  EXPECT_EQ(read_file(folder / "state"), "new");
}

TEST(AtomicFile, LeavesNothingWhereItsNameIsAFolders) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "state/kept");
  EXPECT_THROW(write_file_atomically(folder / "state", "new"), std::system_error);
  EXPECT_EQ(names_in(folder.path()), Names{"state"});
  EXPECT_THROW(point_link_at(folder / "state", "kept"), std::system_error);
  EXPECT_EQ(names_in(folder.path()), Names{"state"});
  EXPECT_EQ(names_in(folder / "state"), Names{"kept"});
}

TEST(AtomicFile, OverwritesTheLeftoverOfAKilledProcessOfTheSameNumber) {
  const TemporaryFolder folder;
  std::ofstream(temporary_sibling(folder / "state")) << "a long leftover";
  write_file_atomically(folder / "state", "new");
  EXPECT_EQ(read_file(folder / "state"), "new");
  EXPECT_EQ(names_in(folder.path()), Names{"state"});
}

TEST(AtomicFile, NamesThePathInAFolderThatIsNotThere) {
  const TemporaryFolder folder;
  try {
    AtomicFile file(folder / "missing/state");
    FAIL() << "a file in a folder that is not there was created";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos) << error.what();
  }
}

/// While it lives, no file of this process grows beyond `bytes` (EFBIG).
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST(AtomicFile, AFailedWriteKeepsTheOldFileAndLeavesNothing) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "state", "old");
  {
    const FileSizeLimit limit(1000);
    EXPECT_THROW(write_file_atomically(folder / "state", std::string(2000, 'x')),
                 std::system_error);
  }
  EXPECT_EQ(read_file(folder / "state"), "old");
  EXPECT_EQ(names_in(folder.path()), Names{"state"});
}

TEST(AtomicFile, AFullDiskKeepsTheOldFileAndSaysSo) {
  const SmallDisk disk(64 * 1024);
  if (!disk.is_mounted()) GTEST_SKIP() << "NOT TESTED: mounting a small disk needs root";
  write_file_atomically(disk.path() / "state", "old");
  try {
    write_file_atomically(disk.path() / "state", std::string(256 * 1024, 'x'));
    FAIL() << "256 KiB fitted on a disk of 64 KiB";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_space_on_device);
    EXPECT_NE(std::string(error.what()).find("state: No space left on device"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(read_file(disk.path() / "state"), "old");
  EXPECT_EQ(names_in(disk.path()), Names{"state"});
}

TEST(Files, ReadFileNamesWhatIsMissing) {
  const TemporaryFolder folder;
  try {
    read_file(folder / "missing");
    FAIL() << "a missing file was read";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find((folder / "missing").string()), std::string::npos);
  }
}

TEST(Files, PointLinkAtReplacesALink) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "one", "1");
  write_file_atomically(folder / "two", "2");
  point_link_at(folder / "latest", "one");
  EXPECT_EQ(read_file(folder / "latest"), "1");
  point_link_at(folder / "latest", "two");
  EXPECT_EQ(read_file(folder / "latest"), "2");
  EXPECT_EQ(fs::read_symlink(folder / "latest"), "two");
  EXPECT_EQ(names_in(folder.path()), (Names{"latest", "one", "two"}));
}

TEST(Files, RenameDurablyReplaces) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "from", "new");
  write_file_atomically(folder / "to", "old");
  rename_durably(folder / "from", folder / "to");
  EXPECT_EQ(read_file(folder / "to"), "new");
  EXPECT_THROW(rename_durably(folder / "from", folder / "to"), std::system_error);
}

TEST(Files, TemporarySiblingIsHiddenAndOfThisProcess) {
  EXPECT_EQ(temporary_sibling("a/b.json"), "a/.b.json.tmp-" + std::to_string(::getpid()));
  EXPECT_EQ(temporary_sibling("b.json"), "./.b.json.tmp-" + std::to_string(::getpid()));
}

}  // namespace
}  // namespace effuse
