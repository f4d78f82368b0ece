#include "preflight/devices.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "hosts.hpp"

namespace effuse {
namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

DeviceFacts gpu(const std::string& identity, const std::string& name = "NVIDIA H200") {
  DeviceFacts facts;
  facts.is_gpu = true;
  facts.name = name;
  facts.identity = identity;
  facts.free_bytes = 139 * kGib;
  facts.total_bytes = 140 * kGib;
  facts.visible = 2;
  return facts;
}

DeviceFacts cpu(const std::string& name) {
  DeviceFacts facts;
  facts.name = name;
  return facts;
}

TEST(FindDevice, OfTheCpuGivesTheProcessor) {
  const DeviceFacts facts = find_device([] { return at::Device(at::kCPU); });
  EXPECT_EQ(facts.error, "");
  EXPECT_FALSE(facts.is_gpu);
  EXPECT_NE(facts.name, "");
}

TEST(FindDevice, AFailureBecomesAFact) {
  EXPECT_EQ(find_device([]() -> at::Device { throw ConfigError("no GPU is seen"); }).error,
            "no GPU is seen");
}

TEST(JudgeDevices, AGpuEachIsFine) {
  const Finding finding = judge_devices(on_hosts({2, 2}), {gpu("a"), gpu("b"), gpu("a"), gpu("b")});
  EXPECT_EQ(finding.verdict(), Verdict::ok) << problems_of(finding);
  EXPECT_EQ(finding.result, "NVIDIA H200, 139.0 GiB of 140.0 GiB free");
}

TEST(JudgeDevices, TwoRanksOnOneGpuFail) {
  const Finding finding = judge_devices(on_hosts({2, 2}), {gpu("a"), gpu("b"), gpu("a"), gpu("a")});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_EQ(finding.problems.size(), 1u) << problems_of(finding);
  EXPECT_SAYS(finding, "ranks 2-3 (node-2): are on the same GPU");
}

TEST(JudgeDevices, ARankWithoutADeviceFails) {
  DeviceFacts none;
  none.error = "no GPU is seen here";
  const Finding finding = judge_devices(on_hosts({2}), {gpu("a"), none});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding, "rank 1 (node-1): no GPU is seen here");
  EXPECT_EQ(judge_devices(on_hosts({1}), {none}).result, "no rank has a device to compute on");
}

TEST(JudgeDevices, GpusBesideCpusFail) {
  const Finding finding = judge_devices(on_hosts({1, 1}), {gpu("a"), cpu("EPYC")});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding, "CPU at rank 1 (node-2); GPU at rank 0 (node-1)");
}

TEST(JudgeDevices, DifferentModelsAreAWarning) {
  const Finding finding = judge_devices(on_hosts({2, 1}), {cpu("EPYC"), cpu("EPYC"), cpu("Xeon")});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "EPYC at ranks 0-1 (node-1); Xeon at rank 2 (node-2)");
}

TEST(JudgeDevices, MemoryThatOthersUseAndIdleGpusAreWarnings) {
  DeviceFacts busy = gpu("a");
  busy.free_bytes = 70 * kGib;
  const Finding finding = judge_devices(on_hosts({1}), {busy});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "rank 0 (node-1): only 70.0 GiB of the GPU's 140.0 GiB are free");
  EXPECT_SAYS(finding, "their host has 2 GPUs for 1 rank");
}

}  // namespace
}  // namespace effuse
