#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "comm/backends.hpp"
#include "comm/rank_list.hpp"
#include "core/text.hpp"
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
      EXPECT_TRUE(contains(error.what(), "rank 1 has been waiting in barrier, number "))
          << error.what();
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

/// "rank 0: ", or with three ranks "ranks 0 and 2: ": all but rank 1.
std::string others() {
  std::vector<int> ranks{0};
  for (int k = 2; k < session().world_size(); ++k) ranks.push_back(k);
  return rank_list(ranks) + ": ";
}

TEST(CommunicatorFailure, DifferentOperationsAreDivergenceNotAHang) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const std::string message = error_of([&] {
    if (session().rank() == 1) communicator->barrier();
    communicator->all_reduce(at::zeros({3}, at::kFloat));
  });
  EXPECT_TRUE(contains(message, "came to different operations")) << message;
  EXPECT_TRUE(contains(message, others() + "all_reduce of 3 x float32 (sum), number 1, section "
                                           "startup; rank 1: barrier, number 1, section startup"))
      << message;
  EXPECT_TRUE(contains(error_of([&] { communicator->barrier(); }), "came to different operations"))
      << "the communicator is of no use any more";
}

TEST(CommunicatorFailure, DifferentShapesAreDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const auto message = error_of(
      [&] { communicator->all_reduce(at::zeros({session().rank() == 1 ? 4 : 3}, at::kFloat)); });
  EXPECT_TRUE(contains(message, others() + "all_reduce of 3 x float32 (sum), number 1")) << message;
  EXPECT_TRUE(contains(message, "rank 1: all_reduce of 4 x float32 (sum), number 1")) << message;
}

TEST(CommunicatorFailure, DifferentTypesAreDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const auto type = session().rank() == 1 ? at::kInt : at::kFloat;
  const auto message = error_of([&] { communicator->all_reduce(at::zeros({3}, type)); });
  EXPECT_TRUE(contains(message, "rank 1: all_reduce of 3 x int32 (sum)")) << message;
}

TEST(CommunicatorFailure, DifferentRootsAreDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const auto message = error_of(
      [&] { communicator->broadcast(at::zeros({3}, at::kFloat), session().rank() == 1 ? 1 : 0); });
  EXPECT_TRUE(contains(message, "rank 1: broadcast of 3 x float32 from rank 1")) << message;
}

TEST(CommunicatorFailure, DifferentSectionsAreDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  communicator->enter(session().rank() == 1 ? CommSection::save : CommSection::step);
  const auto message = error_of([&] { communicator->barrier(); });
  EXPECT_TRUE(contains(message, "rank 1: barrier, number 1, section save")) << message;
}

/// Alike in all but their purpose, as the buckets of a step are: the wrong sums would be added up.
TEST(CommunicatorFailure, ALeftOutReductionOfASeriesIsDivergence) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  const auto message = error_of([&] {
    std::vector<std::unique_ptr<Work>> series;
    for (int bucket = 0; bucket < 4; ++bucket) {
      if (session().rank() == 1 && bucket == 2) communicator->leave_out_next_reduction();
      series.push_back(communicator->all_reduce_async(at::zeros({3}, at::kFloat), ReduceOp::sum,
                                                      cat("bucket ", bucket)));
    }
    for (const auto& work : series) work->wait();
    communicator->barrier();
  });
  EXPECT_TRUE(
      contains(message, others() + "all_reduce of 3 x float32 (sum) for bucket 2, number 3"))
      << message;
  EXPECT_TRUE(contains(message, "rank 1: all_reduce of 3 x float32 (sum) for bucket 3, number 3"))
      << message;
}

TEST(CommunicatorFailure, TheLastOneLeftOutIsDivergenceAtTheNextOperation) {
  const auto communicator = make_mpi(session(), testing::deadlines());
  at::Tensor tensor = at::zeros({3}, at::kFloat);
  const auto message = error_of([&] {
    if (session().rank() == 1) communicator->leave_out_next_reduction();
    communicator->all_reduce(tensor);
    communicator->all_gather(tensor);
  });
  EXPECT_TRUE(contains(message, others() + "all_reduce of 3 x float32 (sum), number 1")) << message;
  EXPECT_TRUE(contains(message, "rank 1: all_gather of 3 x float32, number 1")) << message;
}

/// Takes whatever meets for the same operation, as NCCL does. Its texts go another way.
class Careless final : public Communicator {
 public:
  Careless() : Communicator(session().rank(), session().world_size(), testing::deadlines()) {}

  std::string_view backend() const override { return "careless"; }
  std::vector<std::string> all_gather_text(const std::string& text) override {
    return testing::world().all_gather_text(text);
  }

 private:
  bool accepts(at::Device) const override { return true; }
  std::unique_ptr<Work> start_all_reduce(at::Tensor, ReduceOp, OperationLabel) override {
    return std::make_unique<Done>();
  }
  std::unique_ptr<Work> start_broadcast(at::Tensor, int, OperationLabel) override {
    return std::make_unique<Done>();
  }
  std::unique_ptr<Work> start_all_gather(at::Tensor, at::Tensor, OperationLabel) override {
    return std::make_unique<Done>();
  }
  std::unique_ptr<Work> start_barrier(OperationLabel) override { return std::make_unique<Done>(); }
};

TEST(CommunicatorFailure, WhatWasLeftOutOrChangedShowsInTheHistory) {
  Careless communicator;
  at::Tensor tensor = at::zeros({3}, at::kFloat);
  communicator.all_reduce(tensor);
  EXPECT_NO_THROW(communicator.require_same_history());
  if (session().rank() == 1) communicator.leave_out_next_reduction();
  communicator.all_reduce(tensor);
  const std::string left_out = error_of([&] { communicator.require_same_history(); });
  EXPECT_TRUE(contains(left_out, "rank 0: 2 (") && contains(left_out, "rank 1: 1 (")) << left_out;

  Careless other;
  other.all_reduce(tensor, session().rank() == 1 ? ReduceOp::max : ReduceOp::sum);
  const std::string changed = error_of([&] { other.require_same_history(); });
  EXPECT_TRUE(contains(changed, "rank 0: 1 (") && contains(changed, "rank 1: 1 (")) << changed;
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
