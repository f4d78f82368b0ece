#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "core/text.hpp"
#include "support/world.hpp"

namespace effuse::testing {
namespace {

std::optional<Session> the_session;
std::unique_ptr<Communicator> the_world;
std::unique_ptr<Communicator> line_up;  // apart from the tests' own

/// Keeps the ranks together from test to test: a rank that left a test early must not meet the
/// others in the operations of the next.
class LineUp : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { line_up->barrier(); }
  void OnTestEnd(const ::testing::TestInfo&) override { line_up->barrier(); }
};

/// What ranks other than 0 have to say: their failures.
class FailurePrinter : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::cerr << cat("[rank ", session().rank(), "] ",
                     result.file_name() == nullptr ? "?" : result.file_name(), ":",
                     result.line_number(), ": ", result.message(), "\n");
  }
  void OnTestEnd(const ::testing::TestInfo& info) override {
    if (!info.result()->Failed()) return;
    std::cerr << cat("[rank ", session().rank(), "] FAILED ", info.test_suite_name(), ".",
                     info.name(), "\n");
  }
};

/// A launch that made worlds of one, or another number of ranks, must not pass.
void require_launched_size() {
  const char* asked = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (asked == nullptr || std::atoi(asked) == session().world_size()) return;
  std::cerr << cat("mpirun was asked for ", asked, " ranks, MPI made ", session().world_size(),
                   "\n");
  session().abort(ExitCode::failure);
}

void listen() {
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  if (session().rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter);
  }
  listeners.Append(new LineUp);
}

/// CTest's SKIP_RETURN_CODE for tests that need a GPU, and only for them.
constexpr int kSkipped = 77;

bool lacks_gpu() {
  if (backend() != "nccl" || torch::cuda::device_count() > 0) return false;
  if (session().rank() == 0) std::cerr << "SKIPPED: there is no GPU to test NCCL with\n";
  return true;
}

int run_all() {
  const int failed = RUN_ALL_TESTS();
  const at::Tensor failures = at::zeros({2}, at::kLong);
  failures[0] = failed != 0 ? 1 : 0;
  failures[1] = ::testing::UnitTest::GetInstance()->test_to_run_count() == 0 ? 1 : 0;
  line_up->all_reduce(failures, ReduceOp::max);
  if (failures[1].item<std::int64_t>() != 0) std::cerr << "no test was run\n";
  return failures.max().item<std::int64_t>() == 0 ? 0 : 1;
}

}  // namespace

Session& session() { return *the_session; }
Communicator& world() { return *the_world; }

std::string backend() {
  const char* asked = std::getenv("EFFUSE_TEST_BACKEND");
  if (asked != nullptr) return asked;
  return session().uses_mpi() ? "mpi" : "single";
}

at::Device device() {
  if (backend() != "nccl") return at::kCPU;
  const auto gpus = static_cast<int>(torch::cuda::device_count());
  return {at::kCUDA, static_cast<at::DeviceIndex>(session().local_rank() % std::max(gpus, 1))};
}

Deadlines deadlines() {
  return {.startup_s = 60.0, .step_s = 60.0, .preview_s = 60.0, .save_s = 60.0};
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  the_session.emplace(Session::open());
  try {
    require_launched_size();
    if (lacks_gpu()) {
      session().finish();
      return kSkipped;
    }
    the_world = make_communicator(session(), backend(), device(), deadlines());
    line_up = make_communicator(session(), session().uses_mpi() ? "mpi" : "single", at::kCPU,
                                deadlines());
    listen();
    const int code = run_all();
    the_world.reset();
    line_up.reset();
    session().finish();
    return code;
  } catch (const std::exception& error) {
    std::cerr << cat("[rank ", session().rank(), "] ", error.what(), "\n");
    session().abort(ExitCode::failure);
  }
}

}  // namespace effuse::testing

int main(int argc, char** argv) { return effuse::testing::main(argc, argv); }
