#include "app/run_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

TEST(RunFolder, has_a_place_for_everything) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = (root / "runs").string()});
  folder.create();
  EXPECT_EQ(folder.path(), root / "runs/faces");
  EXPECT_EQ(folder.log(12), root / "runs/faces/logs/rank-0012.log");
  for (const auto& place : {folder.log(0).parent_path(), folder.target(0).parent_path(),
                            folder.preview(0).parent_path(), folder.checkpoints()}) {
    EXPECT_TRUE(std::filesystem::is_directory(place)) << place;
  }
  EXPECT_NO_THROW(folder.create());
}

TEST(RunFolder, clears_what_a_kill_left_half_written) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = root.path().string()});
  folder.create();
  const auto previews = folder.preview(0).parent_path();
  for (const auto& file :
       {folder.path() / ".outcome.json.tmp-77", previews / ".a.png.tmp-8",
        folder.path() / "config.toml", previews / "a.png", previews / ".hidden"}) {
    std::ofstream(file) << "text";
  }
  folder.clear_leftovers();
  EXPECT_FALSE(std::filesystem::exists(folder.path() / ".outcome.json.tmp-77"));
  EXPECT_FALSE(std::filesystem::exists(previews / ".a.png.tmp-8"));
  for (const auto& file :
       {folder.path() / "config.toml", previews / "a.png", previews / ".hidden"}) {
    EXPECT_TRUE(std::filesystem::exists(file)) << file;
  }
}

TEST(RunFolder, moves_aside_what_is_there) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = root.path().string()});
  EXPECT_TRUE(folder.move_aside().empty());
  folder.create();
  const auto aside = folder.move_aside();
  EXPECT_FALSE(std::filesystem::exists(folder.path()));
  EXPECT_TRUE(std::filesystem::is_directory(aside / "checkpoints"));
  EXPECT_EQ(aside.filename().string().rfind("faces.before-", 0), 0u);
}

TEST(RunFolder, keeps_the_log_that_slurm_writes_when_it_moves_aside) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = root.path().string()});
  folder.create();
  std::filesystem::create_directory(folder.submissions());
  std::ofstream(folder.submissions() / "effuse-train-7.out") << "begun";
  const auto aside = folder.move_aside();
  EXPECT_TRUE(std::filesystem::exists(folder.submissions() / "effuse-train-7.out"));
  EXPECT_FALSE(std::filesystem::exists(aside / "slurm"));
  EXPECT_FALSE(std::filesystem::exists(folder.checkpoints()));
}

TEST(RunFolder, is_one_jobs_at_a_time) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = (root / "runs").string()});
  {
    const auto lock = folder.lock();
    EXPECT_THROW(folder.lock(), ConfigError);
    EXPECT_NO_THROW(RunFolder({.name = "cats", .folder = (root / "runs").string()}).lock());
    folder.create();
    folder.move_aside();
    EXPECT_THROW(folder.lock(), ConfigError) << "the lock is on the name, not on the folder";
  }
  EXPECT_NO_THROW(folder.lock());
}

TEST(RunFolder, moves_aside_twice_within_a_second) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = root.path().string()});
  folder.create();
  const auto first = folder.move_aside();
  folder.create();
  const auto second = folder.move_aside();
  EXPECT_NE(first, second);
  EXPECT_TRUE(std::filesystem::exists(first) && std::filesystem::exists(second));
}

}  // namespace
}  // namespace effuse
