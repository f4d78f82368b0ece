#include "app/outcome.hpp"

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
                                              {"total_steps", 0},
                                              {"reason", "asked to stop"},
                                              {"start", "continue"},
                                              {"slurm_job", ""},
                                              {"attempt", 1},
                                              {"began_after", 0},
                                              {"began_there", 0}}));
  write_outcome(file, {outcome_name(ExitCode::done), ExitCode::done, 9, "all steps done"});
  EXPECT_EQ(outcome_in(file)["attempt"], 2);
  EXPECT_EQ(outcome_in(file)["outcome"], "done");
}

TEST(Outcome, keeps_how_far_the_run_is_to_go) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  begin_outcome(file, 5, "continue", 40);
  EXPECT_EQ(outcome_in(file)["total_steps"], 40);
  write_outcome(file, {"stopped", ExitCode::stopped, 12, "asked to stop"});
  EXPECT_EQ(outcome_in(file)["total_steps"], 40);
}

TEST(Outcome, of_an_attempt_that_was_killed_is_running) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  write_outcome(file, {"done", ExitCode::done, 9, "all steps done"});
  begin_outcome(file, 9, "continue");
  EXPECT_EQ(outcome_in(file)["outcome"], "running");
  EXPECT_TRUE(outcome_in(file)["exit_code"].is_null());
  EXPECT_EQ(outcome_in(file)["attempt"], 2);
  begin_outcome(file, 9, "continue");
  write_outcome(file, {"stopped", ExitCode::stopped, 12, "asked to stop"});
  EXPECT_EQ(outcome_in(file)["attempt"], 3);
}

TEST(Outcome, keeps_how_the_attempt_was_told_to_begin) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  EXPECT_EQ(unfinished_start(file), "");
  begin_outcome(file, 5, "resume-from 5");
  EXPECT_EQ(unfinished_start(file), "resume-from 5") << "it was killed";
  write_outcome(file, {"stopped", ExitCode::stopped, 7, "asked to stop"});
  EXPECT_EQ(outcome_in(file)["start"], "resume-from 5");
  EXPECT_EQ(unfinished_start(file), "resume-from 5");
  begin_outcome(file, 7, "continue");
  EXPECT_EQ(unfinished_start(file), "continue");
  begin_outcome(file, 7, "fresh");
  write_outcome(file, {"done", ExitCode::done, 9, "all steps done"});
  EXPECT_EQ(unfinished_start(file), "");
}

TEST(Outcome, counts_attempts_that_make_no_headway) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  EXPECT_EQ(begin_outcome(file, 0, "continue"), 1);
  EXPECT_EQ(begin_outcome(file, 0, "continue"), 2) << "the one before was killed";
  write_outcome(file, {"failure", ExitCode::failure, 4, "no checkpoint yet"});
  EXPECT_EQ(begin_outcome(file, 0, "continue"), 3);
  write_outcome(file, {"stopped", ExitCode::stopped, 7, "asked to stop"});
  EXPECT_EQ(begin_outcome(file, 7, "continue"), 1);
  write_outcome(file, {"failure", ExitCode::failure, 8, "killed itself"});
  write_outcome(file, {"bad data", ExitCode::bad_data, last_step(file), "refused"});
  EXPECT_EQ(begin_outcome(file, 7, "continue"), 2) << "a refused attempt does not count";
  EXPECT_EQ(outcome_in(file)["began_after"], 7);
}

TEST(Outcome, of_a_refused_attempt_leaves_what_there_is_to_repeat) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  EXPECT_EQ(last_step(file), 0);
  begin_outcome(file, 5, "fresh");
  write_outcome(file, {"stopped", ExitCode::stopped, 7, "asked to stop"});
  write_outcome(file, {"bad data", ExitCode::bad_data, last_step(file), "no such folder"});
  EXPECT_EQ(outcome_in(file)["attempt"], 2);
  EXPECT_EQ(last_step(file), 7);
  EXPECT_EQ(unfinished_start(file), "fresh");
  begin_outcome(file, 7, "fresh");
  write_outcome(file, {"done", ExitCode::done, 9, "all steps done"});
  write_outcome(file, {"bad data", ExitCode::bad_data, last_step(file), "no such folder"});
  EXPECT_EQ(unfinished_start(file), "continue");
}

TEST(Outcome, written_by_several_ranks_is_of_one_attempt) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  begin_outcome(file, 0, "continue");
  for (const char* rank : {"rank 0", "rank 1"}) {
    write_outcome(file, {"failure", ExitCode::failure, 7, rank, /*begun=*/true});
  }
  EXPECT_EQ(outcome_in(file)["attempt"], 1);
}

TEST(Outcome, a_damaged_record_counts_from_one) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  for (const char* text : {"{\"attempt\":", "[]", ""}) {
    std::ofstream(file) << text;
    write_outcome(file, {"failure", ExitCode::failure, 0, "x"});
    EXPECT_EQ(outcome_in(file)["attempt"], 1);
    EXPECT_EQ(outcome_in(file)["start"], "continue");
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

TEST(Outcome, takes_the_place_of_outcomes_alone) {
  const TemporaryFolder folder;
  const auto file = folder / "outcome.json";
  EXPECT_TRUE(may_become_outcome(file));
  begin_outcome(file, 0, "continue");
  EXPECT_TRUE(may_become_outcome(file));
  for (const auto& [text, may] : {std::pair{"", true}, {"{\"fid\": {}}", false}, {"PK", false}}) {
    write_file_atomically(file, text);
    EXPECT_EQ(may_become_outcome(file), may) << text;
  }
}

}  // namespace
}  // namespace effuse
