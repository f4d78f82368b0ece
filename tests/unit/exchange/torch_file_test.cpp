#include "exchange/torch_file.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"
#include "torch_archive.hpp"

namespace effuse {
namespace {

const std::string kSix = bytes_of({0, 1, 2, 3, 4, 5});

class TorchFileTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& value,
                              const std::map<std::string, std::string>& records) const {
    write_torch_archive(folder_ / "a.pt", value, records);
    return folder_ / "a.pt";
  }

  at::Tensor read(const std::string& value) const {
    TorchFile file(write(value, {{"data/0", kSix}}));
    return file.tensor(*file.root().as<PickleTensor>(), "w");
  }

  std::string complaint(const std::string& value,
                        const std::map<std::string, std::string>& records) const {
    return message_of<CheckpointError>([&] {
      TorchFile file(write(value, records));
      file.tensor(*file.root().as<PickleTensor>(), "w");
    });
  }

  static std::string six_floats(std::uint64_t offset, std::initializer_list<std::uint64_t> sizes,
                                std::initializer_list<std::uint64_t> strides) {
    return pickle::tensor(pickle::storage("FloatStorage", "0", 6), offset, sizes, strides);
  }

  TemporaryFolder folder_;
};

TEST_F(TorchFileTest, HoldsTensorsAsTheyWere) {
  EXPECT_TRUE(
      read(six_floats(0, {2, 3}, {3, 1})).equal(at::arange(6.0).view({2, 3}).to(at::kFloat)));
  EXPECT_TRUE(
      read(six_floats(0, {3, 2}, {1, 3})).equal(at::arange(6.0).view({2, 3}).t().to(at::kFloat)));
  EXPECT_TRUE(read(six_floats(5, {}, {})).equal(at::full({}, 5.0F)));
  EXPECT_EQ(read(six_floats(0, {0, 4}, {4, 1})).sizes(), at::IntArrayRef({0, 4}));
  EXPECT_TRUE(read(six_floats(0, {3, 2}, {1, 3})).is_contiguous());
}

TEST_F(TorchFileTest, RefusesTensorsBeyondTheirStorage) {
  constexpr auto kBeyond = "tensor w reaches beyond its storage of 6 elements";
  for (const std::string& value :
       {six_floats(0, {7}, {1}), six_floats(1, {6}, {1}), six_floats(0, {2, 3}, {4, 1}),
        six_floats(0, {1ULL << 40, 1ULL << 40}, {0, 0}), six_floats(0, {1000}, {0}),
        six_floats(0, {2}, {INT64_MAX}), six_floats(INT64_MAX, {2}, {1}), six_floats(6, {}, {})}) {
    EXPECT_NE(complaint(value, {{"data/0", kSix}}).find(kBeyond), std::string::npos);
  }
}

TEST_F(TorchFileTest, RefusesSizesThatCannotBe) {
  constexpr auto kCannotBe = "tensor w has sizes, strides or an offset that cannot be";
  constexpr auto kMinusOne = static_cast<std::uint64_t>(-1);
  for (const std::string& value :
       {six_floats(0, {2, 3}, {1}), six_floats(0, {kMinusOne}, {1}),
        six_floats(0, {2}, {kMinusOne}), six_floats(kMinusOne, {2}, {1}),
        six_floats(0, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                   {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})}) {
    EXPECT_NE(complaint(value, {{"data/0", kSix}}).find(kCannotBe), std::string::npos);
  }
}

TEST_F(TorchFileTest, RefusesStoragesOfAnotherSizeThanTheirRecord) {
  for (const std::uint64_t count :
       {std::uint64_t{5}, std::uint64_t{7}, std::uint64_t{1} << 61, std::uint64_t{1} << 62}) {
    const std::string message =
        complaint(pickle::tensor(pickle::storage("FloatStorage", "0", count), 0, {0}, {1}),
                  {{"data/0", kSix}});
    EXPECT_NE(message.find("but a/data/0 has 24 bytes"), std::string::npos) << message;
  }
  EXPECT_NE(complaint(six_floats(0, {6}, {1}), {}).find("it lacks a/data/0"), std::string::npos);
}

}  // namespace
}  // namespace effuse
