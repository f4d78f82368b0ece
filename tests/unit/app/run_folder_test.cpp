#include "app/run_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

nlohmann::json outcome_in(const std::filesystem::path& file) {
  return nlohmann::json::parse(read_file(file));
}

TEST(Outcome, counts_the_attempts) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  write_outcome(file, {outcome_name(ExitCode::stopped), ExitCode::stopped, 7, "asked to stop"});
  EXPECT_EQ(outcome_in(file), (nlohmann::json{{"outcome", "stopped"},
                                              {"exit_code", 75},
                                              {"step", 7},
                                              {"reason", "asked to stop"},
                                              {"attempt", 1}}));
  write_outcome(file, {outcome_name(ExitCode::done), ExitCode::done, 9, "all steps done"});
  EXPECT_EQ(outcome_in(file)["attempt"], 2);
  EXPECT_EQ(outcome_in(file)["outcome"], "done");
}

TEST(Outcome, of_an_attempt_that_was_killed_is_running) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  write_outcome(file, {"done", ExitCode::done, 9, "all steps done"});
  begin_outcome(file, 9);
  EXPECT_EQ(outcome_in(file)["outcome"], "running");
  EXPECT_TRUE(outcome_in(file)["exit_code"].is_null());
  EXPECT_EQ(outcome_in(file)["attempt"], 2);
  begin_outcome(file, 9);
  write_outcome(file, {"stopped", ExitCode::stopped, 12, "asked to stop"});
  EXPECT_EQ(outcome_in(file)["attempt"], 3);
}

TEST(Outcome, a_damaged_record_counts_from_one) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  for (const char* text : {"{\"attempt\":", "[]", ""}) {
    std::ofstream(file) << text;
    write_outcome(file, {"failure", ExitCode::failure, 0, "x"});
    EXPECT_EQ(outcome_in(file)["attempt"], 1);
  }
  std::ofstream(file) << "{\"attempt\": \"two\"}";
  write_outcome(file, {"failure", ExitCode::failure, 0, "x"});
  EXPECT_EQ(outcome_in(file)["attempt"], 1);
}

TEST(Outcome, every_exit_code_has_its_name) {
  EXPECT_EQ(outcome_name(ExitCode::done), "done");
  EXPECT_EQ(outcome_name(ExitCode::failure), "failure");
  EXPECT_EQ(outcome_name(ExitCode::bad_configuration), "bad configuration");
  EXPECT_EQ(outcome_name(ExitCode::bad_data), "bad data");
  EXPECT_EQ(outcome_name(ExitCode::stopped), "stopped");
}

TEST(RunFolder, has_a_place_for_everything) {
  const TemporaryFolder root;
  const RunFolder folder({.name = "faces", .folder = (root / "runs").string()});
  folder.create();
  EXPECT_EQ(folder.path(), root / "runs/faces");
  EXPECT_EQ(folder.log(12), root / "runs/faces/logs/rank-0012.log");
  for (const auto& place : {folder.log(0).parent_path(), folder.target(0).parent_path(),
                            folder.previews(), folder.checkpoints()}) {
    EXPECT_TRUE(std::filesystem::is_directory(place)) << place;
  }
  EXPECT_NO_THROW(folder.create());
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
