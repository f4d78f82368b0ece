#pragma once

#include <memory>

#include "comm/communicator.hpp"

/// What tests of several ranks share. Their main() opens the session, lines the ranks up before and
/// after each test, and fails the whole test where any rank does.
namespace effuse::testing {

Session& session();

/// A communicator over all ranks, of backend(). Tests that break a communicator make their own.
Communicator& world();

/// What world() is made with: long enough for a busy machine, short enough for a test.
Deadlines deadlines();

/// $EFFUSE_TEST_BACKEND, which may be nccl where there is a GPU; else "mpi" under a launcher and
/// "single" without.
std::string backend();

/// Where tensors have to be for backend(). GPUs are shared out by local rank.
at::Device device();

}  // namespace effuse::testing
