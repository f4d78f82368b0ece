#include "app/job_identity.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "core/files.hpp"
#include "core/text.hpp"
#include "core/user_name.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

JobIdentity faces(const std::filesystem::path& folder = "/data/runs/faces",
                  const std::string& mark = "17") {
  return {"effuse-train", "faces", folder, mark};
}

/// What is warned of with a file of that name in the folder of targets.
std::string warning_beside(const std::string& file) {
  const TemporaryFolder targets;
  write_file_atomically(targets / file, "[]");
  testing::internal::CaptureStderr();
  faces().warn_of_namesake(targets.path());
  return testing::internal::GetCapturedStderr();
}

TEST(JobIdentity, labels_name_program_user_run_rank_and_slurm_job) {
  ::unsetenv("SLURM_JOB_ID");
  EXPECT_THAT(faces().labels(3),
              UnorderedElementsAre(Pair("job", "effuse-train"), Pair("user", user_name()),
                                   Pair("run", "faces"), Pair("rank", "3")));
  ::setenv("SLURM_JOB_ID", "77", 1);
  EXPECT_EQ(faces().labels(0).at("slurm_job"), "77");
  ::unsetenv("SLURM_JOB_ID");
}

TEST(JobIdentity, files_are_the_same_for_all_attempts_and_others_elsewhere) {
  EXPECT_EQ(faces().file_name(), faces("/data/runs/../runs/faces").file_name());
  EXPECT_NE(faces().file_name(), faces("/home/runs/faces").file_name());
  EXPECT_THAT(faces().file_name(),
              MatchesRegex(cat("effuse-train\\.", user_name(), "\\.faces\\.[0-9a-f]{8}")));
}

TEST(JobIdentity, a_folder_is_itself_by_any_path_and_another_on_another_disk) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "runs/faces");
  std::filesystem::create_directory_symlink(folder / "runs", folder / "link");
  EXPECT_EQ(faces(folder / "runs/faces").file_name(), faces(folder / "link/faces/").file_name());
  EXPECT_NE(faces(folder / "runs/faces", "1").file_name(),
            faces(folder / "runs/faces", "2").file_name());
}

TEST(JobIdentity, the_mark_of_a_folder_is_drawn_once) {
  const TemporaryFolder folder;
  const std::string mark = mark_of_folder(folder / "metrics/identity");
  EXPECT_FALSE(mark.empty());
  EXPECT_EQ(mark_of_folder(folder / "metrics/identity"), mark);
  EXPECT_NE(mark_of_folder(folder / "other/identity"), mark);
  EXPECT_NE(mark_of_folder("/proc/no/such/identity"), mark);
}

TEST(JobIdentity, a_namesake_is_warned_of) {
  const std::string other = faces("/home/runs/faces").file_name() + ".rank-0000.json";
  const std::string said = warning_beside(other);
  EXPECT_THAT(said, HasSubstr("another job called faces"));
  EXPECT_THAT(said, HasSubstr(other));
}

TEST(JobIdentity, others_are_no_namesakes) {
  const std::string user = cat("effuse-train.", user_name());
  for (const std::string& file :
       {faces().file_name() + ".rank-0001.json", user + ".faces.small.0123abcd.rank-0000.json",
        std::string("effuse-train.nobody-else.faces.0123abcd.rank-0000.json"),
        cat("effuse-sample.", user_name(), ".faces.0123abcd.part-1-of-1.json")}) {
    EXPECT_EQ(warning_beside(file), "") << file;
  }
  EXPECT_NO_THROW(faces().warn_of_namesake("/no/such/folder"));
  EXPECT_NO_THROW(faces().warn_of_namesake(""));
}

}  // namespace
}  // namespace effuse
