#include "comm/communicator.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/checksum.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "support/world.hpp"

/// One suite for all backends and numbers of ranks: what is expected is computed from rank and
/// world size alone.
namespace effuse {
namespace {

using testing::device;
using testing::world;

at::TensorOptions options(at::ScalarType type) { return at::dtype(type).device(device()); }

class EachType : public ::testing::TestWithParam<at::ScalarType> {};

INSTANTIATE_TEST_SUITE_P(Types, EachType,
                         ::testing::Values(at::kFloat, at::kDouble, at::kBFloat16, at::kHalf,
                                           at::kLong, at::kInt, at::kByte),
                         [](const auto& type) { return std::string(c10::toString(type.param)); });

/// Element i of rank r is r + 1 + i mod 7: small integers, exact in every type.
at::Tensor ramp(std::int64_t count, int rank, at::ScalarType type) {
  return at::arange(count, options(at::kLong)).remainder(7).add(rank + 1).to(type);
}

TEST_P(EachType, SumIsTheSumOverRanks) {
  const std::int64_t ranks = world().world_size();
  for (const std::int64_t count : {0, 1, 2, 5, 4096, 100003}) {
    at::Tensor tensor = ramp(count, world().rank(), GetParam());
    world().all_reduce(tensor);
    const at::Tensor expected = at::arange(count, options(at::kLong))
                                    .remainder(7)
                                    .mul(ranks)
                                    .add(ranks * (ranks + 1) / 2)
                                    .to(GetParam());
    EXPECT_TRUE(tensor.equal(expected)) << count << " elements";
  }
}

TEST_P(EachType, MaxAndMinAreOverRanks) {
  at::Tensor highest = ramp(20000, world().rank(), GetParam());
  at::Tensor lowest = highest.clone();
  world().all_reduce(highest, ReduceOp::max);
  world().all_reduce(lowest, ReduceOp::min);
  EXPECT_TRUE(highest.equal(ramp(20000, world().world_size() - 1, GetParam())));
  EXPECT_TRUE(lowest.equal(ramp(20000, 0, GetParam())));
}

TEST_P(EachType, BroadcastGivesTheRootsTensor) {
  for (int root = 0; root < world().world_size(); ++root) {
    at::Tensor tensor = ramp(1000, world().rank(), GetParam()).reshape({10, 100});
    world().broadcast(tensor, root);
    EXPECT_TRUE(tensor.equal(ramp(1000, root, GetParam()).reshape({10, 100})));
  }
}

TEST_P(EachType, AllGatherStacksByRank) {
  const at::Tensor gathered =
      world().all_gather(ramp(6, world().rank(), GetParam()).reshape({2, 3}));
  ASSERT_EQ(gathered.sizes(), at::IntArrayRef({world().world_size(), 2, 3}));
  for (int k = 0; k < world().world_size(); ++k) {
    EXPECT_TRUE(gathered[k].equal(ramp(6, k, GetParam()).reshape({2, 3})));
  }
}

TEST(Communicator, ScalarsAreReduced) {
  at::Tensor scalar = at::full({}, 0.5, options(at::kDouble));
  world().all_reduce(scalar);
  EXPECT_EQ(scalar.item<double>(), 0.5 * world().world_size());
}

TEST(Communicator, TwoReductionsUnderWayAtOnceDoNotMix) {
  at::Tensor first = at::full({50000}, world().rank() + 1, options(at::kFloat));
  at::Tensor second = at::full({3}, world().rank() + 1, options(at::kLong));
  const auto first_work = world().all_reduce_async(first);
  const auto second_work = world().all_reduce_async(second, ReduceOp::max);
  second_work->wait();
  first_work->wait();
  first_work->wait();  // waiting again is harmless
  const int ranks = world().world_size();
  EXPECT_TRUE(first.eq(ranks * (ranks + 1) / 2).all().item<bool>());
  EXPECT_TRUE(second.eq(ranks).all().item<bool>());
}

TEST(Communicator, WorkThatIsDroppedIsDoneAllTheSame) {
  at::Tensor tensor = at::ones({5000}, options(at::kFloat));
  { const auto dropped = world().all_reduce_async(tensor); }
  world().all_reduce(at::ones({1}, options(at::kFloat)));
  EXPECT_TRUE(tensor.eq(world().world_size()).all().item<bool>());
}

at::Tensor random_floats(int rank, std::int64_t count) {
  at::Tensor tensor = at::empty({count}, at::kFloat);
  RandomStream stream(7, Purpose::noise, static_cast<std::uint64_t>(rank));
  stream.fill_normal({tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(count)});
  return tensor;
}

TEST(Communicator, SumsHaveTheSameBitsAtEveryRank) {
  for (const std::int64_t count : {7, 250001}) {
    at::Tensor tensor = random_floats(world().rank(), count).to(device());
    world().all_reduce(tensor);
    const at::Tensor on_host = tensor.cpu();
    const auto sum =
        crc32c({static_cast<const std::byte*>(on_host.const_data_ptr()), on_host.nbytes()});
    for (const auto& text : world().all_gather_text(cat(sum))) EXPECT_EQ(text, cat(sum));
  }
}

TEST(Communicator, SumsOnTheCpuAreInTheOrderOfTheRanks) {
  if (device().is_cuda()) GTEST_SKIP() << "NCCL has an order of its own";
  for (const std::int64_t count : {7, 250001}) {
    at::Tensor tensor = random_floats(world().rank(), count);
    world().all_reduce(tensor);
    at::Tensor expected = random_floats(0, count);
    for (int k = 1; k < world().world_size(); ++k) expected = expected + random_floats(k, count);
    EXPECT_TRUE(tensor.equal(expected));
  }
}

TEST(Communicator, TextsOfUnequalLengthAreGathered) {
  const auto text_of = [](int rank) { return std::string(static_cast<std::size_t>(rank), 'x'); };
  const auto texts = world().all_gather_text(text_of(world().rank()));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(world().world_size()));
  for (int k = 0; k < world().world_size(); ++k) {
    EXPECT_EQ(texts[static_cast<std::size_t>(k)], text_of(k));
  }
}

TEST(Communicator, TextIsBroadcastWithAllItsBytes) {
  const int root = world().world_size() - 1;
  const std::string text("a\0b\nü", 6);
  EXPECT_EQ(world().broadcast_text(world().rank() == root ? text : "something else", root), text);
  EXPECT_EQ(world().broadcast_text("", root), "");
}

TEST(Communicator, SectionsNest) {
  const CommSection before = world().section();
  {
    const SectionScope preview(world(), CommSection::preview);
    EXPECT_EQ(world().section(), CommSection::preview);
    const SectionScope save(world(), CommSection::save);
    EXPECT_EQ(world().section(), CommSection::save);
  }
  EXPECT_EQ(world().section(), before);
}

TEST(Communicator, ArgumentsThatCannotBeRightAreRefused) {
  EXPECT_THROW(world().all_reduce(at::Tensor()), CommError);
  EXPECT_THROW(world().all_reduce(at::zeros({4, 4}, options(at::kFloat)).t()), CommError);
  EXPECT_THROW(world().all_reduce(at::zeros({2}, options(at::kComplexFloat))), CommError);
  EXPECT_THROW(world().broadcast(at::zeros({2}, options(at::kFloat)), -1), CommError);
  EXPECT_THROW(world().broadcast(at::zeros({2}, options(at::kFloat)), world().world_size()),
               CommError);
  EXPECT_NO_THROW(world().check());
  EXPECT_NO_THROW(world().barrier());
}

TEST(Communicator, KnowsItsPlaceAndBackend) {
  EXPECT_EQ(world().rank(), testing::session().rank());
  EXPECT_EQ(world().world_size(), testing::session().world_size());
  EXPECT_EQ(world().backend(), testing::backend());
}

}  // namespace
}  // namespace effuse
