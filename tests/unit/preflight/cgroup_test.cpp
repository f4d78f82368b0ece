#include "preflight/cgroup.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

class CgroupTest : public ::testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  CgroupLimits read(const std::string& membership) {
    return read_cgroup_limits(root_.path(), membership);
  }

 private:
  TemporaryFolder root_;
};

TEST_F(CgroupTest, NothingThereIsNoLimit) {
  const CgroupLimits limits = read("0::/\n");
  EXPECT_EQ(limits.cpus, 0.0);
  EXPECT_EQ(limits.cpuset, "");
  EXPECT_EQ(limits.memory_bytes, 0u);
}

TEST_F(CgroupTest, Version2TakesTheLeastOfAllGroupsAbove) {
  put("slurm/memory.max", "1000");
  put("slurm/memory.current", "900");
  put("slurm/memory.stat", "anon 5\ninactive_file 300");
  put("slurm/job/memory.max", "max");
  put("slurm/job/cpu.max", "250000 100000");
  put("slurm/cpu.max", "max 100000");
  put("slurm/job/cpuset.cpus.effective", "0-3");
  put("slurm/cpuset.cpus.effective", "0-63");
  const CgroupLimits limits = read("0::/slurm/job\n");
  EXPECT_EQ(limits.memory_bytes, 1000u);
  EXPECT_EQ(limits.memory_left_bytes, 400u) << "caches count as not in use";
  EXPECT_EQ(limits.cpus, 2.5);
  EXPECT_EQ(limits.cpuset, "0-3");
}

TEST_F(CgroupTest, OfTwoLimitsTheTighterCounts) {
  put("memory.max", "1000");
  put("memory.current", "990");
  put("job/memory.max", "500");
  put("job/memory.current", "100");
  EXPECT_EQ(read("0::/job\n").memory_bytes, 1000u) << "10 are left there, 400 here";
  EXPECT_EQ(read("0::/job\n").memory_left_bytes, 10u);
}

TEST_F(CgroupTest, Version1) {
  put("memory/slurm/memory.limit_in_bytes", "4096");
  put("memory/slurm/memory.usage_in_bytes", "1024");
  put("memory/memory.limit_in_bytes", "9223372036854771712");
  put("cpu,cpuacct/cpu.cfs_quota_us", "-1");
  put("cpu,cpuacct/slurm/cpu.cfs_quota_us", "150000");
  put("cpu,cpuacct/slurm/cpu.cfs_period_us", "100000");
  put("cpuset/slurm/cpuset.cpus", "2,5");
  const CgroupLimits limits =
      read("4:memory:/slurm\n3:cpuset:/slurm\n2:cpu,cpuacct:/slurm\n0::/\n");
  EXPECT_EQ(limits.memory_bytes, 4096u);
  EXPECT_EQ(limits.memory_left_bytes, 3072u);
  EXPECT_EQ(limits.cpus, 1.5);
  EXPECT_EQ(limits.cpuset, "2,5");
}

TEST_F(CgroupTest, InsideAContainerTheMountIsTheGroup) {
  put("memory/memory.limit_in_bytes", "4096");
  EXPECT_EQ(read("4:memory:/docker/0123\n").memory_bytes, 4096u);
}

}  // namespace
}  // namespace effuse
