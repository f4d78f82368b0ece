#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "comm/backends.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using testing::deadlines;
using testing::session;

/// Messages of many pieces, the last one short, some smaller than the number of ranks.
class Pieces : public ::testing::TestWithParam<std::size_t> {
 protected:
  std::unique_ptr<Communicator> communicator_ =
      make_mpi(session(), deadlines(), {.piece_bytes = GetParam()});
  int rank_ = session().rank();
  int ranks_ = session().world_size();
};

INSTANTIATE_TEST_SUITE_P(Bytes, Pieces, ::testing::Values(1, 4, 24, 1000, 32772, 100000));

at::Tensor ramp(int rank, std::int64_t count) {
  return at::arange(count, at::kFloat).remainder(1013).add(rank);
}

std::int64_t count_for(std::size_t piece_bytes) { return piece_bytes < 1000 ? 301 : 50021; }

TEST_P(Pieces, AllReduceIsAsIfWhole) {
  const std::int64_t count = count_for(GetParam());
  at::Tensor tensor = ramp(rank_, count);
  communicator_->all_reduce(tensor);
  EXPECT_TRUE(tensor.equal(ramp(0, count).mul(ranks_).add(ranks_ * (ranks_ - 1) / 2)));
}

TEST_P(Pieces, BroadcastIsAsIfWhole) {
  const std::int64_t count = count_for(GetParam());
  at::Tensor tensor = ramp(rank_, count);
  communicator_->broadcast(tensor, ranks_ - 1);
  EXPECT_TRUE(tensor.equal(ramp(ranks_ - 1, count)));
}

TEST_P(Pieces, AllGatherIsAsIfWhole) {
  const std::int64_t count = count_for(GetParam());
  const at::Tensor gathered = communicator_->all_gather(ramp(rank_, count));
  for (int k = 0; k < ranks_; ++k) EXPECT_TRUE(gathered[k].equal(ramp(k, count)));
}

TEST(Mpi, OneFloatMoreThanAPieceOfTheUsualSize) {
  const auto count = static_cast<std::int64_t>(MpiOptions{}.piece_bytes / sizeof(float)) + 1;
  const auto communicator = make_mpi(session(), deadlines());
  at::Tensor tensor = at::full({count}, session().rank() + 1, at::kFloat);
  communicator->all_reduce(tensor);
  const int ranks = session().world_size();
  EXPECT_TRUE(tensor.eq(ranks * (ranks + 1) / 2).all().item<bool>());
}

TEST(Mpi, CommunicatorsAreApart) {
  const auto left = make_mpi(session(), deadlines());
  const auto right = make_mpi(session(), deadlines());
  at::Tensor a = at::full({10000}, 1, at::kFloat);
  at::Tensor b = at::full({10000}, 2, at::kFloat);
  // In opposite orders at odd ranks: legal, since nothing is waited for in between.
  const bool odd = session().rank() % 2 == 1;
  const auto first = odd ? right->all_reduce_async(b) : left->all_reduce_async(a);
  const auto second = odd ? left->all_reduce_async(a) : right->all_reduce_async(b);
  first->wait();
  second->wait();
  EXPECT_TRUE(a.eq(session().world_size()).all().item<bool>());
  EXPECT_TRUE(b.eq(2 * session().world_size()).all().item<bool>());
}

}  // namespace
}  // namespace effuse
