#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "comm/backends.hpp"
#include "support/world.hpp"

/// What becomes of a communicator when the ranks do not do the same: on two ranks or more.
namespace effuse {
namespace {

using testing::session;

constexpr double kShortS = 0.2;

std::unique_ptr<Communicator> impatient() {
  return make_mpi(session(),
                  {.startup_s = 60.0, .step_s = kShortS, .preview_s = 60.0, .save_s = 60.0});
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const CommError& error) {
    return error.what();
  }
  return "no CommError";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(CommunicatorFailure, ARankThatDoesNotComeIsMissedWithinTheDeadline) {
  const auto communicator = impatient();
  communicator->barrier();
  communicator->enter(CommSection::step);
  if (session().rank() != 1) {
    at::Tensor tensor = at::zeros({3}, at::kFloat);
    try {
      communicator->all_reduce(tensor);
      FAIL() << "all_reduce returned without rank 1";
    } catch (const DeadlineError& error) {
      EXPECT_EQ(error.operation().section, CommSection::step);
      EXPECT_EQ(error.operation().sequence, 2U);
      EXPECT_EQ(error.operation().name, "all_reduce of 3 x float32 (sum)");
      EXPECT_GE(error.elapsed_s(), kShortS);
      EXPECT_TRUE(contains(error.what(), "all_reduce of 3 x float32 (sum), number 2, section step"))
          << error.what();
      EXPECT_TRUE(contains(error.what(), "parallel.step_timeout_s")) << error.what();
    }
  }
  testing::world().barrier();
}

TEST(CommunicatorFailure, AfterADeadlineEveryLaterCallFailsAtOnce) {
  const auto communicator = impatient();
  communicator->enter(CommSection::step);
  if (session().rank() != 1) {
    const auto work = communicator->all_reduce_async(at::zeros({3}, at::kFloat));
    const auto behind = communicator->all_reduce_async(at::zeros({5}, at::kFloat));
    EXPECT_THROW(behind->wait(), DeadlineError);
    EXPECT_THROW(work->wait(), DeadlineError);
    EXPECT_THROW(communicator->check(), DeadlineError);
    communicator->enter(CommSection::save);
    EXPECT_TRUE(contains(error_of([&] { communicator->barrier(); }), "of 3 x float32"));
  }
  testing::world().barrier();
}

TEST(CommunicatorFailure, ASlowSectionHasItsOwnDeadline) {
  const auto communicator = impatient();
  const SectionScope save(*communicator, CommSection::save);
  at::Tensor tensor = at::ones({1}, at::kFloat);
  if (session().rank() != 1) {
    const auto work = communicator->all_reduce_async(tensor);
    testing::world().all_gather_text("rank 1 may come now");
    work->wait();
  } else {
    testing::world().all_gather_text("");
    communicator->all_reduce(tensor);
  }
  EXPECT_EQ(tensor.item<float>(), static_cast<float>(session().world_size()));
}

TEST(CommunicatorFailure, DifferentOperationsAreDivergenceNotAHang) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const std::string message = error_of([&] {
    if (session().rank() == 1) communicator->barrier();
    communicator->all_reduce(at::zeros({3}, at::kFloat));
  });
  EXPECT_TRUE(contains(message, "came to different operations as number 1")) << message;
  EXPECT_TRUE(contains(message, "rank 0: all_reduce of 3 x float32 (sum); rank 1: barrier"))
      << message;
}

TEST(CommunicatorFailure, DifferentShapesAreDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const auto message =
      error_of([&] { communicator->all_reduce(at::zeros({3 + session().rank()}, at::kFloat)); });
  EXPECT_TRUE(contains(message, "rank 1: all_reduce of 4 x float32 (sum)")) << message;
}

TEST(CommunicatorFailure, DifferentRootsAreDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const auto message = error_of(
      [&] { communicator->broadcast(at::zeros({3}, at::kFloat), session().rank() == 1 ? 1 : 0); });
  EXPECT_TRUE(contains(message, "rank 1: broadcast of 3 x float32 from rank 1")) << message;
}

TEST(CommunicatorFailure, ACommunicatorCanBeLeftWithOperationsUnderWay) {
  std::unique_ptr<Work> work;
  {
    const auto communicator = make_mpi(session(), testing::deadlines());
    if (session().rank() != 1) work = communicator->all_reduce_async(at::zeros({3}, at::kFloat));
  }
  if (work) {
    EXPECT_THROW(work->wait(), CommError);
  }
}

}  // namespace
}  // namespace effuse
