#include "report/run_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/host_name.hpp"
#include "core/lock_file.hpp"
#include "core/text.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// runs/faces of a temporary folder.
class RunRecordTest : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = run() / name;
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, text);
  }
  std::filesystem::path run() const { return folder_ / "runs/faces"; }
  RunRecord read() const { return read_run(run(), {}); }

  TemporaryFolder folder_;
};

TEST_F(RunRecordTest, OfARunThatJustBeganIsAlmostEmpty) {
  put("config.toml", "[run]\nname = \"faces\"\nsteps = 100\n");
  const RunRecord record = read();
  EXPECT_EQ(record.name, "faces");
  EXPECT_THAT(record.config, ElementsAre(Pair("run.name", "\"faces\""), Pair("run.steps", "100")));
  EXPECT_FALSE(record.outcome);
  EXPECT_FALSE(record.goodput);
  EXPECT_EQ(record.log.lines, 0);
  EXPECT_THAT(record.problems, IsEmpty());
  EXPECT_EQ(read_run(run() / "", {}).name, "faces");
}

TEST_F(RunRecordTest, IsNotMadeOfJustAnyFolder) {
  EXPECT_THAT(message_of<DataError>([this] { read(); }),
              HasSubstr("does not exist. Give the folder"));
  put("notes.txt", "");
  EXPECT_THAT(message_of<DataError>([this] { read(); }),
              HasSubstr("is no run's folder: it holds neither config.toml nor"));
  EXPECT_THAT(message_of<DataError>([this] { read_run(run() / "notes.txt", {}); }),
              HasSubstr("is a file"));
}

TEST_F(RunRecordTest, NeedsAConfigurationThatIsToml) {
  put("config.toml", "[run\nname");
  EXPECT_THAT(message_of<DataError>([this] { read(); }), HasSubstr("config.toml:1:"));
}

TEST_F(RunRecordTest, TakesKeysOfOtherReleases) {
  put("config.toml", "[run]\nlr = 3e-4\nnew_key = [1, 2.5]\n[later]\nx = true\n");
  EXPECT_THAT(read().config, ElementsAre(Pair("run.lr", "0.0003"), Pair("run.new_key", "[1, 2.5]"),
                                         Pair("later.x", "true")));
}

TEST_F(RunRecordTest, LeavesOutWhatIsDamagedAndNamesIt) {
  put("config.toml", "");
  put("outcome.json", "{\"outcome\":");
  put("goodput.json", "[]");
  put("environment.json", R"({"effuse": 7, "ranks": [3, {"host": "a"}], "world_size": "two"})");
  put("metrics/evaluation.jsonl",
      "{\"step\":5,\"fid\":3.5,\"time_s\":1}\nnonsense\n{\"step\":10,\"fi");
  put("checkpoints/step-00000010/manifest.json", "{");
  put("checkpoints/step-00000020/model.safetensors", "");
  put("bad_steps/step-00000003.json", "");
  put("metrics/train.jsonl", "{\"step\":9}\nno\n{\"step\":8}\nno\n");
  const RunRecord record = read();
  EXPECT_THAT(
      record.problems,
      testing::UnorderedElementsAre(
          HasSubstr("outcome.json is damaged"), HasSubstr("goodput.json is damaged"),
          "1 damaged line of metrics/evaluation.jsonl is left out.",
          HasSubstr("checkpoints/step-00000010/manifest.json is damaged"),
          "checkpoints/step-00000020/manifest.json is missing: this checkpoint is left out.",
          HasSubstr("bad_steps/step-00000003.json is damaged"),
          "2 damaged lines of metrics/train.jsonl are left out.",
          "1 line of metrics/train.jsonl is left out: its step is not above that of a "
          "line before."));
  ASSERT_TRUE(record.environment);
  EXPECT_EQ(record.environment->effuse, "");
  ASSERT_EQ(record.environment->ranks.size(), 2U);
  EXPECT_EQ(record.environment->ranks[1].host, "a");
  ASSERT_EQ(record.evaluations.size(), 1U);
  EXPECT_THAT(record.evaluations[0].scores, ElementsAre(Pair("fid", 3.5)));
}

TEST_F(RunRecordTest, HasARestartForEachStretchButTheFirst) {
  put("goodput.json",
      R"({"goodput":0.5,"total_s":10,"productive_s":5,"lost_s":{"down":5},"attempts":4,"kept":[)"
      R"({"after":0,"up_to":20,"productive_s":2},{"after":20,"up_to":50,"productive_s":2},)"
      R"({"after":50,"up_to":60,"productive_s":1}]})");
  put("metrics/train.jsonl", "{\"step\":20,\"time_s\":5}\n{\"step\":30,\"time_s\":9}\n");
  const RunRecord record = read();
  ASSERT_EQ(record.log.restarts.size(), 2U);
  EXPECT_EQ(record.log.restarts[0].after_step, 20);
  EXPECT_EQ(record.log.restarts[0].before_s, 5.0);
  EXPECT_EQ(record.log.restarts[0].after_s, 9.0);
  EXPECT_EQ(record.log.restarts[1].after_step, 50);
  EXPECT_EQ(record.goodput->attempts, 4);
}

std::vector<Continuation> continuations(const RunRecord& record) {
  std::vector<Continuation> found;
  for (const Restart& restart : record.log.restarts) found.push_back(restart.by);
  return found;
}

TEST_F(RunRecordTest, TellsRestartsOfTheJobFromReturnsToACheckpoint) {
  using enum Continuation;
  put("config.toml", "");
  put("goodput.json",
      R"({"attempts":3,"kept":[{"after":0,"up_to":20,"attempt":1},)"
      R"({"after":20,"up_to":50,"attempt":1},{"after":50,"up_to":60,"attempt":3}]})");
  EXPECT_THAT(continuations(read()), ElementsAre(restore, attempt));
  put("goodput.json", R"({"attempts":2,"kept":[{"after":0,"up_to":20},{"after":20,"up_to":50}]})");
  EXPECT_THAT(continuations(read()), ElementsAre(unknown)) << "as an earlier release wrote it";
}

TEST_F(RunRecordTest, SaysWhetherItsJobLives) {
  put("outcome.json", R"({"outcome":"running"})");
  put("metrics/train.jsonl", "{\"step\":20,\"time_s\":5}\n");
  const std::filesystem::path lock = run().parent_path() / ".faces.lock";
  EXPECT_EQ(read().job, LockHolder::unknown);
  EXPECT_EQ(read().last_sign_unix_s, 5.0) << "files of a copy are younger than what they tell of";
  {
    const LockFile held(lock, "the run", "");
    EXPECT_EQ(read().job, LockHolder::alive);
    EXPECT_EQ(read_run(run() / "", {}).job, LockHolder::alive);
    EXPECT_GT(read().last_sign_unix_s, 1e9);
  }
  write_file_atomically(lock, cat("effuse-train on ", host_name(), " (process 7)"));
  EXPECT_EQ(read().job, LockHolder::gone);
  write_file_atomically(lock, "effuse-train on another.host.of.none (process 7)");
  EXPECT_EQ(read().job, LockHolder::unknown);
}

TEST_F(RunRecordTest, GivesACommandThatAShellTakesAsItIs) {
  const std::filesystem::path place = folder_ / "my runs/it's";
  std::filesystem::create_directories(place / "checkpoints/step-00000010");
  write_file_atomically(place / "config.toml", "");
  EXPECT_EQ(read_run(place, {}).next_command, "") << "there is no checkpoint";
  write_file_atomically(place / "checkpoints/step-00000010/manifest.json", "{}");
  EXPECT_EQ(read_run(place, {}).next_command,
            cat("effuse-sample --weights '", (folder_ / "my runs").string(),
                "/it'\\''s' --output samples"));
}

TEST_F(RunRecordTest, HasCheckpointsWithSizeAndMarks) {
  put("config.toml", "");
  const std::string files =
      R"("files":{"a":{"size_bytes":10,"sha256":"aa"},"b":{"size_bytes":5}}})";
  put("checkpoints/step-00000010/manifest.json", R"({"step":10,)" + files);
  put("checkpoints/step-00000020/manifest.json", R"({"step":20,)" + files);
  put("checkpoints/step-00000030.abandoned/manifest.json", R"({"step":30,)" + files);
  put("checkpoints/.step-00000040.tmp-7/model", "");
  std::filesystem::create_symlink("step-00000020", run() / "checkpoints/latest");
  std::filesystem::create_symlink("step-00000010", run() / "checkpoints/best");
  const RunRecord record = read();
  ASSERT_EQ(record.checkpoints.size(), 2U);
  EXPECT_EQ(record.checkpoints[0].step, 10);
  EXPECT_EQ(record.checkpoints[0].size_bytes, 15U);
  EXPECT_TRUE(record.checkpoints[0].is_best);
  EXPECT_FALSE(record.checkpoints[0].is_latest);
  EXPECT_TRUE(record.checkpoints[1].is_latest);
  EXPECT_GT(record.checkpoints[1].written_unix_s, 1e9);
  EXPECT_THAT(record.problems, IsEmpty());
}

TEST_F(RunRecordTest, FindsSamplesMadeWithItsWeightsAndNoOthers) {
  put("config.toml", "");
  put("checkpoints/step-00000010/manifest.json",
      R"({"step":10,"files":{"ema.safetensors":{"size_bytes":1,"sha256":"abc"}}})");
  put("samples/samples.json",
      R"({"number":4,"weights_step":10,"weights_sha256":"abc","steps":50})");
  put("../by-path/samples.json",
      cat(R"({"number":5,"weights":")", (run() / "checkpoints/step-00000005").string(), "\"}"));
  put("../others/samples.json", R"({"number":6,"weights":"elsewhere","weights_sha256":"xyz"})");
  put("../faces-2/config.toml", "");
  const RunRecord record = read();
  ASSERT_EQ(record.samples.size(), 2U);
  EXPECT_EQ(record.samples[0].number, 5);
  EXPECT_EQ(record.samples[1].number, 4);
  EXPECT_THAT(record.samples[1].settings, ElementsAre(Pair("steps", "50")));
  EXPECT_TRUE(made_with(run() / "samples", run(), record.checkpoints));
  EXPECT_FALSE(made_with(run() / "../others", run(), record.checkpoints));
  EXPECT_FALSE(made_with(run() / "../by-path", run().parent_path() / "faces-2", {}));
}

TEST_F(RunRecordTest, DescribesSomeOfManyBadSteps) {
  put("config.toml", "");
  for (int step = 1; step <= 25; ++step) {
    put(cat("bad_steps/step-", step, ".json"), R"({"loss":"nan","grad_norm":2.5})");
  }
  const RunRecord record = read();
  EXPECT_EQ(record.bad_steps.count, 25);
  ASSERT_EQ(record.bad_steps.first.size(), 20U);
  EXPECT_EQ(record.bad_steps.first[1].step, 2);
  EXPECT_EQ(record.bad_steps.first[1].loss, "nan");
  EXPECT_EQ(record.bad_steps.first[1].grad_norm, "2.5");
}

}  // namespace
}  // namespace effuse
