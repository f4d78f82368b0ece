#include <gtest/gtest.h>

#include "support/world.hpp"

namespace effuse {
namespace {

using testing::session;

std::string refusal(const std::string& backend, at::Device device) {
  try {
    make_communicator(session(), backend, device, testing::deadlines());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no ConfigError";
}

#define EXPECT_REFUSED(backend, device, part) \
  EXPECT_NE(refusal(backend, device).find(part), std::string::npos) << refusal(backend, device)

TEST(MakeCommunicator, AutoFollowsRanksAndDevice) {
  const auto communicator = make_communicator(session(), "auto", at::kCPU, testing::deadlines());
  EXPECT_EQ(communicator->backend(), session().world_size() == 1 ? "single" : "mpi");
}

TEST(MakeCommunicator, SingleIsForOneRank) {
  if (session().world_size() == 1) {
    EXPECT_EQ(refusal("single", at::kCPU), "no ConfigError");
  } else {
    EXPECT_REFUSED("single", at::kCPU, "the job has 2 ranks");
  }
}

TEST(MakeCommunicator, MpiNeedsALauncherAndTheCpu) {
  if (session().uses_mpi()) {
    EXPECT_REFUSED("mpi", at::Device(at::kCUDA, 0), "computes on cuda:0");
  } else {
    EXPECT_REFUSED("mpi", at::kCPU, "no launcher started this process");
  }
}

TEST(MakeCommunicator, NcclNeedsAGpu) {
  EXPECT_REFUSED("nccl", at::kCPU, "reduces tensors on GPUs");
}

TEST(MakeCommunicator, UnknownBackendsAreNamed) {
  EXPECT_REFUSED("gloo", at::kCPU, "\"gloo\"; it can be auto, single, mpi or nccl");
}

}  // namespace
}  // namespace effuse
