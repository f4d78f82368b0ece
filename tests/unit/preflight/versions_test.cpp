#include "preflight/versions.hpp"

#include <gtest/gtest.h>

#include "core/version.hpp"
#include "hosts.hpp"

namespace effuse {
namespace {

using Versions = std::vector<LibraryVersion>;

TEST(FindVersions, AreThoseOfTheLibrariesThatAreLoaded) {
  std::map<std::string, std::string> found;
  for (const LibraryVersion& library : find_versions()) found[library.name] = library.version;
  EXPECT_TRUE(found["Effuse"].starts_with(version()));
  EXPECT_TRUE(found["libtorch"].starts_with("2."));
  EXPECT_TRUE(contains(found["MPI"], "MPI")) << found["MPI"];
  EXPECT_TRUE(found["HDF5"].starts_with("1.")) << found["HDF5"];
}

TEST(JudgeVersions, EqualOnesAreListed) {
  const Versions same{
      {"Effuse", "1.0"}, {"MPI", "Open MPI v4.1.4"}, {"NCCL", ""}, {"HDF5", "1.10"}};
  const Finding finding = judge_versions(on_hosts({2}), {same, same});
  EXPECT_EQ(finding.verdict(), Verdict::ok);
  EXPECT_EQ(finding.result, "Effuse 1.0, Open MPI v4.1.4, HDF5 1.10");
}

TEST(JudgeVersions, DifferingRanksAreNamedByVersion) {
  const Versions here{{"Effuse", "1.0"}, {"HDF5", "1.10"}},
      there{{"Effuse", "1.1"}, {"HDF5", "1.10"}};
  const Finding finding = judge_versions(on_hosts({4, 2}), {here, here, here, here, there, there});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  ASSERT_EQ(finding.problems.size(), 1u);
  EXPECT_SAYS(finding,
              "Effuse is not the same everywhere: 1.0 at ranks 0-3 (node-1), 1.1 at ranks "
              "4-5 (node-2)");
}

TEST(JudgeVersions, ALibraryThatSomeLackIsNamed) {
  EXPECT_SAYS(judge_versions(on_hosts({1, 1}), {{{"NCCL", "2.28.9"}}, {{"NCCL", ""}}}),
              "2.28.9 at rank 0 (node-1), none at rank 1 (node-2)");
}

TEST(JudgeVersions, AnotherDriverIsAWarning) {
  const Finding finding =
      judge_versions(on_hosts({1, 1}), {{{"CUDA driver", "13.0"}}, {{"CUDA driver", "12.8"}}});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
}

}  // namespace
}  // namespace effuse
