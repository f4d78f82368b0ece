#include "data/permutation.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace effuse {
namespace {

std::vector<std::uint64_t> order(std::uint64_t seed, std::uint64_t epoch, std::uint64_t size) {
  const EpochPermutation permutation(seed, epoch, size);
  std::vector<std::uint64_t> elements(size);
  for (std::uint64_t i = 0; i < size; ++i) elements[i] = permutation(i);
  return elements;
}

TEST(EpochPermutation, takes_every_element_once_at_any_size) {
  for (std::uint64_t size = 1; size <= 300; ++size) {
    std::vector<int> seen(size);
    for (const std::uint64_t element : order(7, 3, size)) {
      ASSERT_LT(element, size);
      ++seen[element];
    }
    ASSERT_EQ(seen, std::vector<int>(size, 1)) << "size " << size;
  }
}

TEST(EpochPermutation, differs_by_epoch_and_by_seed) {
  const auto first = order(7, 0, 100);
  EXPECT_EQ(order(7, 0, 100), first);
  EXPECT_NE(order(7, 1, 100), first);
  EXPECT_NE(order(8, 0, 100), first);
}

TEST(EpochPermutation, leaves_few_elements_in_place) {
  const auto elements = order(7, 0, 1000);
  int in_place = 0;
  for (std::uint64_t i = 0; i < elements.size(); ++i) in_place += elements[i] == i;
  EXPECT_LT(in_place, 10);
}

TEST(EpochPermutation, answers_for_sizes_without_a_table) {
  const std::uint64_t size = std::uint64_t{1} << 62;
  const EpochPermutation permutation(1, 2, size);
  EXPECT_LT(permutation(0), size);
  EXPECT_NE(permutation(size - 1), permutation(0));
}

}  // namespace
}  // namespace effuse
